import type { FrameSheet } from '../../../shared/domain/frame-sheet.ts';
import type { StudyMeasures } from '../../../shared/domain/study.ts';

/** What can be compared, wherever it comes from. Files are absolute. */
export interface Material {
  first: string;
  methods: { name: string; label: string }[];
  scenes: MaterialScene[];
  /** What of the folder cannot be compared, for whoever reads the results. */
  notes: string[];
}

export interface MaterialScene {
  name: string;
  words: string;
  source: MaterialClip;
  edits: { name: string; words: string; clips: Map<string, MaterialClip> }[];
}

export interface MaterialClip {
  file: string;
  /** Null: a video. */
  sheet: FrameSheet | null;
  measures: StudyMeasures | null;
}
