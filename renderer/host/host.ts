import type { HostCommand } from '../../shared/domain/host-command.ts';
import type { Port } from '../../shared/ipc/rpc.ts';
import { browserHost } from './browser-host.ts';
import { type DesktopBridge, desktopHost } from './desktop-host.ts';

/** What the page needs of the program that shows it. Only this folder knows which one it is. */
export interface Host {
  /** A new connection to the services. Rejects when there is nobody. */
  connect(): Promise<Port>;
  /** Where a dropped or chosen file lies for the services; a browser's host sends it there first. */
  pathOf(file: File, options: { onProgress(share: number): void; signal: AbortSignal }): Promise<string>;
  /** Null where the host has no dialog for folders: their path is typed then. */
  chooseFolder: (() => Promise<string | null>) | null;
  /** Null where the host cannot open the system's file manager. */
  showInFolder: ((path: string) => void) | null;
  /** The system's notification, for what ends while nobody looks. */
  notify(title: string, body: string): void;
  /** What the system's menu asks for, where there is one. */
  onCommand(listener: (command: HostCommand) => void): void;
  /** Asked when something long begins: a browser shows notifications only to who allowed them. */
  allowNotifications(): void;
}

export function findHost(): Host {
  const bridge = (window as { motifDesktop?: DesktopBridge }).motifDesktop;
  return bridge ? desktopHost(bridge) : browserHost();
}
