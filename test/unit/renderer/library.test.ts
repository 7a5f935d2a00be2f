import { describe, expect, it } from 'vitest';
import { LibraryState } from '../../../renderer/features/library/library.svelte.ts';
import type { Clip } from '../../../shared/domain/clip.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { makeClip, makeConcept, makeEdit } from '../../fixtures/library.ts';
import { fakeServices, later, settled } from './fake-services.svelte.ts';

const hawk = makeClip('hawk', { tags: ['sample'] });
const dog = makeClip('dog', { tags: ['park'] });
const cat = makeClip('cat');
const waltz = makeConcept('waltz', ['dog']);
const sample = makeConcept('dancer', ['hawk'], { tags: ['sample'] });
const edits = [makeEdit('edit 1', 'waltz'), makeEdit('edit 2', 'waltz')];
const noPlace = [null, () => false] as const;

function start(answers: Parameters<typeof fakeServices>[0] = {}) {
  const uploads = new Map<
    string,
    ReturnType<typeof later<string>> & { onProgress(share: number): void; signal: AbortSignal }
  >();
  const world = fakeServices({
    'clips.list': () => [cat, dog, hawk],
    'concepts.list': () => [waltz, sample],
    'edits.list': ({ conceptId }: { conceptId?: string }) => (conceptId === 'waltz' ? edits : []),
    'jobs.enqueue': () => ({ id: `job ${world.inputsOf('jobs.enqueue').length}` }),
    ...answers,
  });
  const host = {
    pathOf: ({ name }: File, how: { onProgress(share: number): void; signal: AbortSignal }) => {
      const upload = { ...later<string>(), ...how };
      how.signal.addEventListener('abort', () => upload.fail(new AppError('cancelled', 'Cancelled.')));
      uploads.set(name, upload);
      return upload.answer;
    },
  };
  const library = new LibraryState(world.services, world.notices, host, { action: async () => undefined });
  return { library, uploads, ...world };
}

const idsOf = (items: readonly { id: string }[]) => items.map(({ id }) => id);

describe('opens', () => {
  it('on the last concept that was learned in it, and its last edit', async () => {
    const { library } = start();
    await library.loadAll(...noPlace);
    expect([library.shownKind, library.conceptId, library.clipId, library.editId]).toEqual([
      'concept',
      'waltz',
      'cat',
      'edit 2',
    ]);
    expect(library.sourceClip?.id).toBe('dog');
  });

  it('on the first sample where there is nothing of its own', async () => {
    const { library } = start({
      'clips.list': () => [makeClip('fire', { tags: ['sample'] }), hawk],
      'concepts.list': () => [sample],
    });
    await library.loadAll(...noPlace);
    expect([library.shownKind, library.clipId]).toEqual(['clip', 'hawk']);
  });

  it('where it was left, unless the user has gone elsewhere meanwhile', async () => {
    const place = { shownKind: 'clip', clipId: 'dog', conceptId: 'dancer', editId: null } as const;
    const left = start().library;
    await left.loadAll(place, () => false);
    expect([left.shownKind, left.clipId, left.conceptId]).toEqual(['clip', 'dog', 'dancer']);
    const gone = start().library;
    gone.chooseClip('hawk');
    await gone.loadAll(place, () => true);
    expect([gone.shownKind, gone.clipId]).toEqual(['clip', 'hawk']);
  });
});

describe('lists', () => {
  it('ask for what is searched for, sorted and filtered, and still know the rest', async () => {
    const { library, inputsOf } = start({
      'clips.list': ({ text }: { text?: string }) => (text ? [dog] : [cat, dog, hawk]),
    });
    await library.loadAll(...noPlace);
    await library.sort('name');
    await library.search('do');
    expect(inputsOf('clips.list').slice(-2)).toEqual([{ text: 'do', order: 'name', tag: undefined }, {}]);
    expect([idsOf(library.clips), idsOf(library.allClips)]).toEqual([['dog'], ['cat', 'dog', 'hawk']]);
    await library.filter('park');
    expect(inputsOf('concepts.list').at(-2)).toMatchObject({ text: 'do', tag: 'park' });
  });

  it('a search that was overtaken by another one shows nothing', async () => {
    const answers: Record<string, ReturnType<typeof later<Clip[]>>> = { d: later(), do: later() };
    const { library } = start({
      'clips.list': ({ text }: { text?: string }) => (text ? answers[text]!.answer : [cat, dog, hawk]),
    });
    const searches = [library.search('d'), library.search('do')];
    answers.do!.give([dog]);
    await settled();
    answers.d!.give([cat, dog]);
    await Promise.all(searches);
    expect(idsOf(library.clips)).toEqual(['dog']);
  });

  it('edits of what is no longer on screen are not shown', async () => {
    const late = later<typeof edits>();
    const { library } = start({
      'edits.list': ({ conceptId }: { conceptId?: string }) => (conceptId ? late.answer : []),
    });
    await library.loadClips();
    library.shownKind = 'concept';
    const choosing = library.chooseConcept('waltz');
    library.chooseClip('dog');
    await library.loadEdits();
    late.give(edits);
    await choosing;
    expect(library.edits).toEqual([]);
  });

  it('are loaded anew when another window changes the library', async () => {
    let clips = [cat, dog];
    const { library, emit } = start({ 'clips.list': () => clips });
    await library.loadAll(...noPlace);
    clips = [dog];
    emit('library.changed', { kind: 'clip' });
    await settled();
    expect([idsOf(library.clips), library.clipId]).toEqual([['dog'], 'dog']);
  });

  it('go on with another concept when the chosen one was deleted elsewhere', async () => {
    let concepts = [waltz, sample];
    const { library, emit } = start({ 'concepts.list': () => concepts });
    await library.loadAll(...noPlace);
    concepts = [sample];
    emit('library.changed', { kind: 'concept' });
    await settled();
    expect([library.conceptId, library.edits]).toEqual(['dancer', []]);
  });

  it('that cannot be had leave what is known, and are told', async () => {
    let isThere = true;
    const { library, told } = start({
      'clips.list': () => {
        if (!isThere) throw new AppError('disconnected', 'Motif is not responding.');
        return [cat, dog];
      },
    });
    await library.loadAll(...noPlace);
    isThere = false;
    await library.search('x');
    expect([idsOf(library.clips), told()]).toEqual([['cat', 'dog'], ['Motif is not responding.']]);
  });
});

it('what comes on screen has its edits, none of them chosen', async () => {
  const { library } = start();
  await library.loadAll(...noPlace);
  library.chooseClip('dog');
  library.follow();
  expect([library.edits, library.editId]).toEqual([[], null]);
  await settled();
  library.shownKind = 'concept';
  library.follow();
  await settled();
  expect(idsOf(library.edits)).toEqual(['edit 1', 'edit 2']);
});

it('what is deleted goes to the trash without being asked, and can be had back', async () => {
  const { library, notices, inputsOf } = start({
    'library.delete': () => ({ id: 'deletion 1' }),
    'library.restore': () => undefined,
  });
  await library.loadAll(...noPlace);
  await library.remove({ kind: 'clip', id: 'cat' }, 'cat');
  await library.remove({ kind: 'concept', id: 'waltz' }, 'waltz');
  expect([library.clipId, library.conceptId, library.edits]).toEqual(['dog', null, []]);
  notices.items[0]!.action!.run();
  expect(inputsOf('library.restore')).toEqual([{ deletionId: 'deletion 1' }]);
});

it('a deletion that is refused leaves it chosen', async () => {
  const { library, told } = start({
    'library.delete': () => {
      throw new AppError('conflict', 'A job uses it.');
    },
  });
  await library.loadAll(...noPlace);
  await library.remove({ kind: 'clip', id: 'cat' }, 'cat');
  expect([library.clipId, told()]).toEqual(['cat', ['A job uses it.']]);
});

it('labels go to what they are of, and the name of a direction joins those that there are', async () => {
  const { library, inputsOf } = start({
    'concepts.list': () => [makeConcept('waltz', ['dog'], { directionNames: { 0: 'hat' } })],
    'clips.label': () => dog,
    'edits.label': () => edits[0],
    'concepts.label': () => waltz,
  });
  await library.loadAll(...noPlace);
  await library.label({ kind: 'clip', id: 'dog' }, { name: 'Rex' });
  await library.star(edits[0]!);
  await library.renameDirection(2, 'coat');
  expect(inputsOf('clips.label')).toEqual([{ reference: 'dog', labels: { name: 'Rex' } }]);
  expect(inputsOf('edits.label')).toEqual([{ reference: 'edit 1', labels: { starred: true } }]);
  expect(inputsOf('concepts.label')).toEqual([
    { reference: 'waltz', labels: { directionNames: { 0: 'hat', 2: 'coat' } } },
  ]);
});

it('a concept is written under its own name, without what a file must not be called', async () => {
  const { library, told, inputsOf } = start({
    'concepts.exportFile': ({ target }: { target: string }) => ({ file: target }),
  });
  await library.exportConcept({ ...waltz, name: 'a/b: waltz' }, '/exports');
  expect(inputsOf('concepts.exportFile')).toEqual([{ reference: 'waltz', target: '/exports/a b waltz.motif' }]);
  expect(told()).toEqual(['Exported /exports/a b waltz.motif']);
});

describe('files that are dropped', () => {
  const file = (name: string) => ({ name }) as File;
  const arrivalsOf = (library: LibraryState) =>
    library.arrivals.items.map(({ name, share, error }) => [name, share, error?.message ?? null]);

  it('are sent two at a time, each showing how far it is, and become import jobs', async () => {
    const { library, uploads, inputsOf } = start();
    library.importFiles(['a.mp4', 'b.tar.mov', 'c.mp4'].map(file));
    expect([...uploads.keys()]).toEqual(['a.mp4', 'b.tar.mov']);
    uploads.get('b.tar.mov')!.onProgress(0.5);
    expect(arrivalsOf(library)).toEqual([
      ['a.mp4', 0, null],
      ['b.tar.mov', 0.5, null],
      ['c.mp4', 0, null],
    ]);
    uploads.get('b.tar.mov')!.give('/uploads/2');
    await settled();
    expect([...uploads.keys()]).toContain('c.mp4');
    expect(inputsOf('jobs.enqueue')).toEqual([{ kind: 'import', path: '/uploads/2', name: 'b.tar' }]);
    expect(arrivalsOf(library).map(([name]) => name)).toEqual(['a.mp4', 'c.mp4']);
  });

  it('go when they are cancelled, make room for the next, and say why they are refused', async () => {
    const { library, uploads } = start();
    library.importFiles(['a.mp4', 'b.mp4', 'c.mp4'].map(file));
    library.arrivals.items[0]!.cancel();
    await settled();
    expect([...uploads.keys()]).toContain('c.mp4');
    uploads.get('b.mp4')!.fail(new AppError('out-of-space', 'The disk is full.'));
    await settled();
    expect(arrivalsOf(library)).toEqual([
      ['b.mp4', 0, 'The disk is full.'],
      ['c.mp4', 0, null],
    ]);
    library.arrivals.dismiss(library.arrivals.items[0]!.id);
    expect(arrivalsOf(library).map(([name]) => name)).toEqual(['c.mp4']);
  });

  it('come on the stage once they are clips; those of another window do not', async () => {
    const { library, uploads, emit } = start();
    await library.loadAll(...noPlace);
    library.importFiles([file('dog.mp4')]);
    uploads.get('dog.mp4')!.give('/uploads/1');
    await settled();
    const done = (id: string, clipId: string) =>
      emit('job.changed', { job: { id, state: 'done', output: { clipId, duplicate: false } } });
    done('of another window', 'hawk');
    await settled();
    expect(library.clipId).toBe('cat');
    done('job 1', 'dog');
    await settled();
    expect([library.shownKind, library.clipId]).toEqual(['clip', 'dog']);
  });

  it('concepts are opened at once, and said to be there already when they were', async () => {
    const { library, uploads, told } = start({ 'concepts.importFile': () => ({ concept: sample, duplicate: true }) });
    await library.loadAll(...noPlace);
    library.importFiles([file('dancer.MOTIF')]);
    uploads.get('dancer.MOTIF')!.give('/uploads/1');
    await settled();
    expect([library.shownKind, library.conceptId, told()]).toEqual([
      'concept',
      'dancer',
      ['"dancer" is already in the library.'],
    ]);
  });

  it('a LoRA waits for its clip and words, and stays when it is refused', async () => {
    let isFine = false;
    const { library, uploads, told, inputsOf } = start({
      'concepts.importLora': () => {
        if (!isFine) throw new AppError('damaged-file', 'This is no LoRA.');
        return waltz;
      },
    });
    const caption = { static: 'a [v] dog', dynamic: '' };
    expect(await library.arrivals.importLora('dog', caption, '')).toBe(false);
    library.importFiles([file('waltz.safetensors')]);
    uploads.get('waltz.safetensors')!.give('/uploads/1');
    await settled();
    expect([library.arrivals.lora, library.arrivals.items]).toEqual([{ path: '/uploads/1', name: 'waltz' }, []]);
    expect(await library.arrivals.importLora('dog', caption, ' ')).toBe(false);
    expect([told(), library.arrivals.lora?.name]).toEqual([['This is no LoRA.'], 'waltz']);
    isFine = true;
    expect(await library.arrivals.importLora('dog', caption, ' Rex ')).toBe(true);
    expect(inputsOf('concepts.importLora').map(({ name }) => name)).toEqual([undefined, 'Rex']);
    expect([library.shownKind, library.conceptId, library.arrivals.lora]).toEqual(['concept', 'waltz', null]);
  });
});
