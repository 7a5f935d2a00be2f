import { hostCommand } from '../../shared/domain/host-command.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Port } from '../../shared/ipc/rpc.ts';
import { text } from '../text/en.ts';
import type { Host } from './host.ts';

/** What the preload of the desktop program offers. */
export interface DesktopBridge {
  connect(): void;
  pathOf(file: File): string;
  chooseFolder(): Promise<string | null>;
  showInFolder(path: string): void;
  notify(title: string, body: string): void;
  onCommand(listener: (name: string) => void): void;
}

export function desktopHost(bridge: DesktopBridge): Host {
  return {
    connect: () =>
      new Promise((resolve) => {
        const take = (event: MessageEvent) => {
          if (event.source !== window || event.data !== 'motif:port' || !event.ports[0]) return;
          window.removeEventListener('message', take);
          resolve(channelPort(event.ports[0]));
        };
        window.addEventListener('message', take);
        bridge.connect();
      }),
    async pathOf(file) {
      const path = bridge.pathOf(file);
      if (path === '') throw new AppError('invalid-input', text.connection.noFile(file.name));
      return path;
    },
    chooseFolder: () => bridge.chooseFolder(),
    showInFolder: (path) => bridge.showInFolder(path),
    notify: (title, body) => bridge.notify(title, body),
    onCommand: (listener) =>
      bridge.onCommand((name) => {
        const command = hostCommand.safeParse(name);
        if (command.success) listener(command.data);
      }),
    allowNotifications: () => {},
  };
}

function channelPort(port: MessagePort): Port {
  port.start();
  return {
    postMessage: (message) => port.postMessage(message),
    onMessage: (listener) => port.addEventListener('message', (event) => listener(event.data)),
    onClose: (listener) => port.addEventListener('close', () => listener(), { once: true }),
  };
}
