import { afterEach, expect, it, vi } from 'vitest';
import { keys } from '../../../renderer/text/format.ts';

afterEach(() => vi.unstubAllGlobals());

it('calls keys what they are called on the machine', () => {
  vi.stubGlobal('navigator', { platform: 'Linux x86_64' });
  expect(keys('Ctrl Shift Z')).toBe('Ctrl Shift Z');
  vi.stubGlobal('navigator', { platform: 'MacIntel' });
  expect(keys('Ctrl Shift Z')).toBe('⌘ ⇧ Z');
  expect(keys('one frame; with Shift ten')).toBe('one frame; with ⇧ ten');
  expect(keys('Space')).toBe('Space');
});
