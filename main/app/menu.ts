import type { MenuItemConstructorOptions } from 'electron';

/** What the items of the menu do. */
export interface MenuActions {
  /** The window's own: they reach sliders and ranges as well as the text that is being typed. */
  undo(): void;
  redo(): void;
  saveReport(): void;
  showLog(): void;
  showNotices(): void;
}

/** The system's menu bar: what every program has, and Help. Everything else is in the window, with its own keys. */
export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): MenuItemConstructorOptions[] {
  const isMac = platform === 'darwin';
  // macOS gives the keys of text fields to the menu; elsewhere the page has them, and a second hearer would undo twice.
  const keys = (accelerator: string) => ({ accelerator, registerAccelerator: isMac });
  return [
    ...(isMac ? [{ role: 'appMenu' } as const] : []),
    { role: 'fileMenu' },
    {
      role: 'editMenu',
      submenu: [
        { label: 'Undo', ...keys('CmdOrCtrl+Z'), click: actions.undo },
        { label: 'Redo', ...keys('CmdOrCtrl+Shift+Z'), click: actions.redo },
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    { role: 'viewMenu', submenu: [{ role: 'reload' }, { role: 'togglefullscreen' }, { role: 'toggleDevTools' }] },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'Save report', click: actions.saveReport },
        { label: 'Show log', click: actions.showLog },
        { label: 'Third-party notices', click: actions.showNotices },
      ],
    },
  ];
}
