import type { TableClip, TablePart } from '../../../shared/domain/evaluation-table.ts';

/** A column of the tables, by the name that results have for it. */
export interface Column {
  name: string;
  /** What a better value is; null where neither is. */
  better: 'lower' | 'higher' | null;
  of(clip: TableClip, part: TablePart): number | null;
  /** Whether kinds of edits whose success counts in no mean are left out. */
  bySuccess?: true;
  /** A value of the learning, which finishing and noise do not change. */
  ofLearning?: true;
}

const successOf = ({ success }: TableClip) => (success === null ? null : Number(success));

/** The two that a claim rests on come first. */
export const columns: readonly Column[] = [
  { name: 'trueError', better: 'lower', of: ({ mse }) => mse },
  {
    name: 'named',
    better: 'higher',
    bySuccess: true,
    of: (clip) => {
      const success = successOf(clip);
      return success === null || clip.preservation === null ? null : success * clip.preservation;
    },
  },
  { name: 'mseToSource', better: 'lower', of: ({ mseToSource }) => mseToSource },
  { name: 'errorInside', better: 'lower', of: ({ mseInside }) => mseInside },
  { name: 'errorOutside', better: 'lower', of: ({ mseOutside }) => mseOutside },
  { name: 'identity', better: 'higher', of: ({ identity }) => identity },
  { name: 'subjectIdentity', better: 'higher', of: ({ subjectIdentity }) => subjectIdentity },
  { name: 'textAgreement', better: 'higher', of: ({ textAgreement }) => textAgreement },
  { name: 'frameTextAgreement', better: 'higher', of: ({ frameTextAgreement }) => frameTextAgreement },
  { name: 'temporalCoherence', better: 'higher', of: ({ temporalCoherence }) => temporalCoherence },
  { name: 'motionAmount', better: null, of: ({ motionAmount }) => motionAmount },
  { name: 'motionAgreement', better: 'higher', of: ({ motionAgreement }) => motionAgreement },
  { name: 'likeOther', better: null, of: ({ likeOther }) => likeOther },
  { name: 'clipText', better: 'higher', of: ({ supplied }) => supplied?.clipText ?? null },
  { name: 'clipImage', better: 'higher', of: ({ supplied }) => supplied?.clipImage ?? null },
  { name: 'dinoImage', better: 'higher', of: ({ supplied }) => supplied?.dinoImage ?? null },
  { name: 'clipCoherence', better: 'higher', of: ({ supplied }) => supplied?.clipCoherence ?? null },
  { name: 'faceIdentity', better: 'higher', of: ({ supplied }) => supplied?.faceIdentity ?? null },
  { name: 'faceShare', better: null, of: ({ supplied }) => supplied?.faceShare ?? null },
  { name: 'success', better: 'higher', bySuccess: true, of: successOf },
  { name: 'preservation', better: 'higher', of: ({ preservation }) => preservation },
  { name: 'seconds', better: null, of: ({ seconds }) => seconds },
  { name: 'learnSeconds', better: null, ofLearning: true, of: (_, { learned }) => learned?.seconds ?? null },
  {
    name: 'processorSeconds',
    better: null,
    ofLearning: true,
    of: (_, { learned }) => learned?.processorSeconds ?? null,
  },
  { name: 'memory', better: null, ofLearning: true, of: (_, { learned }) => learned?.peakBytes ?? null },
];
