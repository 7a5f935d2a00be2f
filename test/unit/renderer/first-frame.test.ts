import { expect, it } from 'vitest';
import { FirstFrameState } from '../../../renderer/features/edit/first-frame.svelte.ts';
import type { FirstFrame } from '../../../shared/domain/edit.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { fakeServices } from './fake-services.svelte.ts';

function start(keep: (asked: object) => unknown = () => ({ path: 'pictures/1.png', hash: '1' })) {
  const world = fakeServices({ 'edits.keepPicture': keep as never });
  const begun: (FirstFrame | null)[] = [];
  const draft = {
    conceptId: 'waltz' as string | null,
    beginWith: (picture: FirstFrame | null) => void begun.push(picture),
  };
  const shares: (number | null)[] = [];
  const host = {
    pathOf: async (file: File, { onProgress }: { onProgress(share: number): void }) => {
      onProgress(0.5);
      shares.push(state.arriving);
      return `/uploads/${file.name}`;
    },
  };
  const state = new FirstFrameState(world.services, world.notices, host, draft);
  return { state, draft, begun, shares, ...world };
}

const file = { name: 'edited.png' } as File;

it('a picture from disk is brought to the services, kept, and begun with', async () => {
  const { state, begun, shares, inputsOf } = start();
  await state.choose(file);
  expect(inputsOf('edits.keepPicture')).toEqual([{ file: '/uploads/edited.png' }]);
  expect(begun).toEqual([{ path: 'pictures/1.png', hash: '1' }]);
  expect(shares).toEqual([0.5]);
  expect(state.arriving).toBeNull();
});

it('the first frame of a result is asked for by its id', async () => {
  const { state, begun, inputsOf } = start();
  await state.takeFrom({ id: 'edit 1' });
  expect(inputsOf('edits.keepPicture')).toEqual([{ edit: 'edit 1' }]);
  expect(begun).toHaveLength(1);
  state.remove();
  expect(begun.at(-1)).toBeNull();
});

it('what is no picture is said, and nothing changes', async () => {
  const { state, begun, notices } = start(() => {
    throw new AppError('unsupported-media', 'notes.txt is neither a PNG nor a JPEG picture.');
  });
  await state.choose(file);
  expect(notices.items.map(({ message }) => message)).toEqual([expect.stringContaining('neither a PNG nor a JPEG')]);
  expect(begun).toEqual([]);
  expect(state.arriving).toBeNull();
});

it('a picture that arrives when another concept is open is not given to that', async () => {
  const { state, draft, begun } = start(() => {
    draft.conceptId = 'tango';
    return { path: 'pictures/1.png', hash: '1' };
  });
  await state.choose(file);
  expect(begun).toEqual([]);
});

it('one picture comes at a time', async () => {
  const { state, inputsOf } = start();
  await Promise.all([state.choose(file), state.takeFrom({ id: 'edit 1' })]);
  expect(inputsOf('edits.keepPicture')).toHaveLength(1);
});
