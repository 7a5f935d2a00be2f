/** How a column is called and printed. `factor` brings its unit to the one that is printed. */
export interface ColumnWords {
  label: string;
  digits: number;
  factor: number;
  about: string;
}

const words = (label: string, digits: number, about: string, factor = 1): ColumnWords => ({
  label,
  digits,
  factor,
  about,
});

/** In the order of the tables; the two that claims rest on come first. */
export const columnWords: Readonly<Record<string, ColumnWords>> = {
  trueError: words(
    'true error',
    4,
    'mean squared error to the re-rendered edit, values 0 to 1: primary, lower is better',
  ),
  named: words('named × kept', 3, 'success times preservation of each clip: primary, higher is better'),
  mseToSource: words('MSE', 4, "to the source, the papers' own: how much of it stays"),
  errorInside: words('error inside', 4, 'true error where the edit may change the picture'),
  errorOutside: words('error outside', 4, 'true error where it must not'),
  identity: words('ID', 3, 'cosine of the mean frame vectors of clip and source, by the judge'),
  subjectIdentity: words('ID, subject', 3, 'the same of crops around the subject'),
  textAgreement: words('C-T', 3, 'cosine of the vectors of clip and words, by the judge'),
  frameTextAgreement: words('C-T, frames', 3, 'mean of the cosines of the words and each frame, looked at alone'),
  temporalCoherence: words(
    'TC',
    4,
    'mean cosine of one looked-at frame and the next (every second frame); highest where nothing moves',
  ),
  motionAmount: words(
    'flow',
    2,
    'length of the optical flow over that of the clip that gives the motion: 0 stands still',
  ),
  motionAgreement: words('flow agrees', 2, 'cosine of both flows'),
  likeOther: words(
    'like the other',
    3,
    'mixes: ID with the clip that gave the motion alone; what is above the model itself has leaked',
  ),
  clipText: words('CLIP-T', 3, 'mean cosine of the words and each frame, by the CLIP that was given'),
  clipImage: words('CLIP-I', 3, 'mean cosine of every frame and every one of the source, by that CLIP'),
  dinoImage: words('DINO-I', 3, 'the same by the DINO that was given'),
  clipCoherence: words('T. Cons.', 4, 'mean cosine of each frame and the next, by that CLIP'),
  faceIdentity: words('ID, ArcFace', 3, 'mean cosine of the faces in corresponding frames, where both have one'),
  faceShare: words('faces %', 0, 'of frames in which clip and source have a face that is found', 100),
  frechetVideo: words(
    'FVD',
    1,
    "Fréchet distance to the re-rendered edits by the I3D that was given, of as many clips each, without an interval; of few clips it is far above the papers'",
  ),
  success: words('success %', 0, 'the judge names what was changed', 100),
  preservation: words('kept %', 0, 'what should stay is named as in the source', 100),
  seconds: words('s a clip', 1, 'sampling and decoding, and finishing where that was done'),
  learnSeconds: words('learning s', 0, 'by the wall'),
  processorSeconds: words('processor s', 0, 'of learning, over all threads'),
  memory: words('memory MB', 0, 'the most that the process held while learning, with whatever else it had open', 1e-6),
};

export const columnNames = Object.keys(columnWords);

/** A value in its column's unit and digits; a dash for none. */
export function printed(column: string, value: number | null | undefined): string {
  const { digits, factor } = columnWords[column]!;
  return value === null || value === undefined ? '–' : (value * factor).toFixed(digits);
}
