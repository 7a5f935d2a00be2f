import type { MessagePortMain } from 'electron';
import type { Port } from '../../shared/ipc/rpc.ts';

/** The main process's end of a message channel as a port. */
export function electronPort(port: MessagePortMain): Port {
  port.start();
  return {
    postMessage: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.on('message', ({ data }) => listener(data));
    },
    onClose: (listener) => {
      port.once('close', listener);
    },
  };
}
