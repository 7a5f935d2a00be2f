import type { WebSocket } from 'ws';
import type { Port } from '../../shared/ipc/rpc.ts';

/** A WebSocket as a port: one JSON text per message. */
export function socketPort(socket: WebSocket): Port {
  return {
    postMessage(message) {
      if (socket.readyState !== socket.OPEN) throw new Error('the window is gone');
      socket.send(JSON.stringify(message));
    },
    onMessage(listener) {
      socket.on('message', (data, isBinary) => {
        if (!isBinary) listener(parse(String(data)));
      });
    },
    onClose(listener) {
      if (socket.readyState === socket.CLOSED) listener();
      else socket.once('close', listener);
    },
  };
}

/** What is not JSON is no message of ours, and the receiver's schema refuses null. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
