import type { TableName } from '../../../../shared/domain/evaluation-table.ts';

type Cells = Readonly<Record<string, string>>;

const setAndSequence = (mse: string, identity: string, text: string, coherence: string): Cells => ({
  mseToSource: mse,
  identity,
  faceIdentity: identity,
  textAgreement: text,
  temporalCoherence: coherence,
});

/**
 * Set-and-Sequence (arXiv 2502.14844), tables 1 and 2: MSE, ID, C-T, TC. NewMove and DreamVideo ran on models
 * of their own there; its ranks are 8.
 */
const editing: Readonly<Record<string, Cells>> = {
  'textual-inversion': setAndSequence('.0714', '.145', '.201', '.9927'),
  'lora-1': setAndSequence('.0432', '.622', '.226', '.9974'),
  'lora-8': setAndSequence('.0223', '.703', '.224', '.9969'),
  'two-stage-8': setAndSequence('.0461', '.629', '.250', '.9971'),
  'two-stage': setAndSequence('.0461', '.629', '.250', '.9971'),
  newmove: setAndSequence('.2223', '.270', '.204', '.9914'),
  dreamvideo: setAndSequence('.2021', '.118', '.218', '.9657'),
  dreammix: setAndSequence('.0429', '.579', '.226', '.9965'),
  'set-and-sequence-8': setAndSequence('.0221', '.680', '.239', '.9972'),
  'set-and-sequence': setAndSequence('.0221', '.680', '.239', '.9972'),
};

/**
 * DreamVideo (arXiv 2312.04433), tables 1, 2, 3 and 5: CLIP-T, CLIP-I, DINO-I and T. Cons., beside the judge's
 * columns and those of networks that a user gives; only the cells that are certain.
 */
const textCells = (text: string): Cells => ({ frameTextAgreement: text, clipText: text });
const coherenceCells = (coherence: string): Cells => ({ temporalCoherence: coherence, clipCoherence: coherence });
const dreamVideoCells = (text: string, clip: string, dino: string, coherence: string): Cells => ({
  ...textCells(text),
  identity: clip,
  clipImage: clip,
  dinoImage: dino,
  ...coherenceCells(coherence),
});

const mixing: Readonly<Record<string, Cells>> = {
  dreamvideo: dreamVideoCells('.314', '.665', '.452', '.971'),
  'dreamvideo-no-words': textCells('.310'),
  'dreamvideo-no-appearance': textCells('.305'),
};

const ofSubjects: Readonly<Record<string, Cells>> = {
  dreammix: { ...textCells('.284'), dinoImage: '.459' },
  dreamvideo: dreamVideoCells('.295', '.701', '.475', '.964'),
};

const ofMotions: Readonly<Record<string, Cells>> = {
  base: { ...textCells('.293'), ...coherenceCells('.971') },
  dreamvideo: { ...textCells('.309'), ...coherenceCells('.975') },
};

const papers: Readonly<Partial<Record<TableName, Readonly<Record<string, Cells>>>>> = {
  table1: editing,
  table2: editing,
  dreamvideo: mixing,
  'dreamvideo-subjects': ofSubjects,
  'dreamvideo-motions': ofMotions,
};

/**
 * What a paper says in a cell, as it is printed there; undefined where it says nothing or nothing certain.
 */
export function paperNumber(table: TableName, row: string, column: string): string | undefined {
  return papers[table]?.[row]?.[column];
}

export function hasPaper(table: TableName): boolean {
  return papers[table] !== undefined;
}
