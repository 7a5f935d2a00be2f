import { Menu, type MenuItemConstructorOptions, shell } from 'electron';

/** The system's menu bar: what every program has, and Help. Everything else is in the window, with its own keys. */
export function setMenu(help: { saveReport(): Promise<string>; logFile: string; showNotices(): void }): void {
  const isMac = process.platform === 'darwin';
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' } as const] : []),
    { role: 'fileMenu' },
    {
      role: 'editMenu',
      // Undo and redo are the window's: they reach sliders and ranges too.
      submenu: [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
    },
    { role: 'viewMenu', submenu: [{ role: 'reload' }, { role: 'togglefullscreen' }, { role: 'toggleDevTools' }] },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        {
          label: 'Save report',
          click: () => void help.saveReport().then((file) => shell.showItemInFolder(file)),
        },
        { label: 'Show log', click: () => shell.showItemInFolder(help.logFile) },
        { label: 'Third-party notices', click: help.showNotices },
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
