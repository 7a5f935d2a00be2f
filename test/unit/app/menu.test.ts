import type { MenuItemConstructorOptions } from 'electron';
import { expect, it } from 'vitest';
import { menuTemplate } from '../../../main/app/menu.ts';

function editItems(platform: NodeJS.Platform) {
  const done: string[] = [];
  const act = (name: string) => () => void done.push(name);
  const template = menuTemplate(platform, {
    undo: act('undo'),
    redo: act('redo'),
    saveReport: act('report'),
    showLog: act('log'),
    showNotices: act('notices'),
  });
  const edit = template.find(({ role }) => role === 'editMenu')!;
  return { done, roles: template.map(({ role }) => role), items: edit.submenu as MenuItemConstructorOptions[] };
}

it('undoes and redoes by the menu, with keys of its own on a Mac alone', () => {
  for (const [platform, hasKeys] of [
    ['darwin', true],
    ['linux', false],
    ['win32', false],
  ] as const) {
    const { done, items } = editItems(platform);
    for (const label of ['Undo', 'Redo']) {
      const item = items.find((item) => item.label === label)!;
      expect(item.registerAccelerator).toBe(hasKeys);
      item.click!(undefined as never, undefined, undefined as never);
    }
    expect(done).toEqual(['undo', 'redo']);
  }
  expect(editItems('darwin').roles[0]).toBe('appMenu');
  expect(editItems('linux').roles).not.toContain('appMenu');
});
