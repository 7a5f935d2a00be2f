import { AppError, appErrorShape, fromErrorShape } from '../../shared/ipc/result.ts';
import type { Port } from '../../shared/ipc/rpc.ts';
import { text } from '../text/en.ts';
import type { Host } from './host.ts';

export function browserHost(): Host {
  return {
    connect: () => openSocket('/rpc'),
    pathOf: upload,
    chooseFolder: null,
    showInFolder: null,
    notify(title, body) {
      if (globalThis.Notification?.permission === 'granted') new Notification(title, { body, icon: 'icon.svg' });
    },
    onCommand: () => {},
    allowNotifications() {
      if (globalThis.Notification?.permission === 'default') void Notification.requestPermission();
    },
  };
}

/** `path`: of this host. */
export function openSocket(path: string): Promise<Port> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${location.host}${path}`);
    socket.addEventListener('error', () => reject(new AppError('disconnected', text.connection.noAnswer)));
    socket.addEventListener('open', () =>
      resolve({
        postMessage(message) {
          if (socket.readyState !== WebSocket.OPEN) throw new Error('the connection is closed');
          socket.send(JSON.stringify(message));
        },
        onMessage: (listener) => socket.addEventListener('message', ({ data }) => listener(JSON.parse(String(data)))),
        onClose: (listener) => {
          if (socket.readyState === WebSocket.CLOSED) listener();
          else socket.addEventListener('close', () => listener(), { once: true });
        },
      }),
    );
  });
}

/** Sends a file to the server. XMLHttpRequest, because fetch tells nothing of how far an upload is. */
function upload(
  file: File,
  { onProgress, signal }: { onProgress(share: number): void; signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `upload?name=${encodeURIComponent(file.name)}`);
    request.responseType = 'json';
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    request.addEventListener('load', () => {
      if (request.status === 200) return resolve(String(request.response.path));
      const error = appErrorShape.safeParse(request.response?.error);
      reject(error.success ? fromErrorShape(error.data) : new AppError('internal', text.connection.refused(file.name)));
    });
    request.addEventListener('error', () =>
      reject(new AppError('disconnected', text.connection.broke(file.name), { hint: text.connection.dropAgain })),
    );
    request.addEventListener('abort', () => reject(new AppError('cancelled', text.connection.cancelled)));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
