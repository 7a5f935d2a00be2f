import type { MenuItemConstructorOptions } from 'electron';
import { expect, it } from 'vitest';
import { menuTemplate } from '../../../main/app/menu.ts';

function menuOf(platform: NodeJS.Platform) {
  const done: string[] = [];
  const act = (name: string) => () => void done.push(name);
  const template = menuTemplate(platform, {
    command: (name) => void done.push(name),
    newWindow: act('new window'),
    saveReport: act('report'),
    showLog: act('log'),
    showNotices: act('notices'),
  });
  const items = template.flatMap(({ submenu }) => (submenu ?? []) as MenuItemConstructorOptions[]);
  const click = (label: string) =>
    items.find((item) => item.label === label)!.click!(undefined as never, undefined, undefined as never);
  return { done, roles: template.map(({ role }) => role), items, click };
}

it('asks the window to import, export, undo and redo, with keys of its own on a Mac alone', () => {
  for (const [platform, hasKeys] of [
    ['darwin', true],
    ['linux', false],
    ['win32', false],
  ] as const) {
    const { done, items, click } = menuOf(platform);
    const labels = ['Import…', 'Export…', 'Settings…', 'Undo', 'Redo'];
    for (const label of labels) {
      expect(items.find((item) => item.label === label)!.registerAccelerator).toBe(hasKeys);
      click(label);
    }
    click('Keyboard Shortcuts');
    expect(items.find((item) => item.label === 'Keyboard Shortcuts')!.accelerator).toBe(undefined);
    expect(done).toEqual(['import', 'export', 'settings', 'undo', 'redo', 'shortcuts']);
  }
});

it('has File, Edit, View, Window and Help, with new windows and zoom, and on a Mac the menu of the program', () => {
  const menus = ['fileMenu', 'editMenu', 'viewMenu', 'windowMenu', 'help'];
  expect(menuOf('linux').roles).toEqual(menus);
  expect(menuOf('darwin').roles).toEqual(['appMenu', ...menus]);
  const { done, items, click } = menuOf('linux');
  click('New Window');
  expect(done).toEqual(['new window']);
  const roles = items.map(({ role }) => role);
  for (const role of ['zoomIn', 'zoomOut', 'resetZoom', 'togglefullscreen', 'quit'] as const)
    expect(roles).toContain(role);
  expect(menuOf('darwin').items.map(({ role }) => role)).toContain('close');
});
