import type { MenuItemConstructorOptions } from 'electron';
import type { HostCommand } from '../../shared/domain/host-command.ts';

/** What the items of the menu do. */
export interface MenuActions {
  /** The window's own: it knows what is on the stage, and reaches sliders and ranges as well as text that is being typed. */
  command(name: HostCommand): void;
  newWindow(): void;
  saveReport(): void;
  showLog(): void;
  showNotices(): void;
}

/** The system's menu bar. Everything else is in the window, with its own keys. */
export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): MenuItemConstructorOptions[] {
  const isMac = platform === 'darwin';
  const command = (label: string, name: HostCommand, accelerator: string): MenuItemConstructorOptions => ({
    label,
    accelerator,
    // macOS gives the keys to the menu; elsewhere the page has them, and a second hearer would do everything twice.
    registerAccelerator: isMac,
    click: () => actions.command(name),
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const settings = command('Settings…', 'settings', 'CmdOrCtrl+,');
  return [
    ...(isMac ? [appMenu(settings)] : []),
    {
      role: 'fileMenu',
      submenu: [
        // The page has no key for it.
        { label: 'New Window', accelerator: 'CmdOrCtrl+N', click: actions.newWindow },
        separator,
        command('Import…', 'import', 'CmdOrCtrl+O'),
        command('Export…', 'export', 'CmdOrCtrl+E'),
        separator,
        ...(isMac ? [] : [settings, separator]),
        { role: isMac ? 'close' : 'quit' },
      ],
    },
    {
      role: 'editMenu',
      submenu: [
        command('Undo', 'undo', 'CmdOrCtrl+Z'),
        command('Redo', 'redo', 'CmdOrCtrl+Shift+Z'),
        separator,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    {
      role: 'viewMenu',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        separator,
        { role: 'togglefullscreen' },
        separator,
        { role: 'reload' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        // Its key is a character, which a menu would take out of every text.
        { label: 'Keyboard Shortcuts', click: () => actions.command('shortcuts') },
        separator,
        { label: 'Save Report', click: actions.saveReport },
        { label: 'Show Log', click: actions.showLog },
        { label: 'Third-Party Notices', click: actions.showNotices },
      ],
    },
  ];
}

/** macOS has the settings in the menu that is called like the program. */
function appMenu(settings: MenuItemConstructorOptions): MenuItemConstructorOptions {
  return {
    role: 'appMenu',
    submenu: [
      { role: 'about' },
      { type: 'separator' },
      settings,
      { type: 'separator' },
      { role: 'services' },
      { type: 'separator' },
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      { type: 'separator' },
      { role: 'quit' },
    ],
  };
}
