import type { WebSocket } from 'ws';
import type { Port } from '../../shared/ipc/rpc.ts';

/** No further question is taken from a window that has not fetched so many bytes of answers. */
const fullBytes = 4 * 2 ** 20;
/** A window that fetches nothing while events come in is cut off here; one that lives connects again and asks anew. */
const lostBytes = 64 * 2 ** 20;

/** A WebSocket as a port: one JSON text per message. What breaks the protocol closes this socket and harms nobody else. */
export function socketPort(socket: WebSocket): Port {
  const held: string[] = [];
  const listeners: ((message: unknown) => void)[] = [];

  // A message that is too long or malformed: ws closes the socket with the code that says why.
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    if (isBinary) return;
    held.push(String(data));
    handOver();
  });

  function handOver(): void {
    if (socket.bufferedAmount > fullBytes) {
      socket.pause();
      return;
    }
    const text = held.shift();
    if (text === undefined) {
      if (socket.isPaused) socket.resume();
      return;
    }
    const message = parse(text);
    for (const listener of listeners) listener(message);
    // What had arrived before the socket was paused waits its turn.
    if (held.length > 0) setImmediate(handOver);
  }

  return {
    postMessage(message) {
      if (socket.readyState !== socket.OPEN) throw new Error('the window is gone');
      if (socket.bufferedAmount > lostBytes) return socket.terminate();
      socket.send(JSON.stringify(message), () => {
        if (socket.isPaused) handOver();
      });
    },
    onMessage: (listener) => void listeners.push(listener),
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
