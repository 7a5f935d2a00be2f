import type { lookCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { ServiceParts } from './parts.ts';

export function lookHandlers({ looks, emitter }: ServiceParts): Handlers<typeof lookCalls> {
  const telling = <T>(value: T): T => {
    emitter.emit('looks.changed', {});
    return value;
  };
  return {
    'looks.list': () => looks.list(),
    'looks.get': ({ reference }) => looks.get(reference),
    'looks.save': ({ look, id }) => telling(looks.save(look, id)),
    'looks.move': ({ id, before }) => telling(looks.move(id, before)),
    'looks.remove': ({ id }) => telling(looks.remove(id)),
  };
}
