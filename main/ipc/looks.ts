import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

export function lookHandlers({ looks }: Services) {
  return {
    'looks.list': () => looks.list(),
    'looks.save': ({ look, id }) => looks.save(look, id),
    'looks.move': ({ id, before }) => looks.move(id, before),
    'looks.remove': ({ id }) => looks.remove(id),
  } satisfies Partial<Handlers<AppContract>>;
}
