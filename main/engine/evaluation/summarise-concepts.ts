import {
  type EditMeasures,
  type KindSummary,
  lookAttributes,
  type MethodMeasures,
  type MethodName,
  type MethodSummary,
  type SceneMeasures,
  type SliderSummary,
} from '../../../shared/domain/evaluation.ts';
import { psnrOfMse } from '../metrics/psnr.ts';
import { meanOf, statisticOf } from './statistics.ts';

/** The order of rows. */
const methodOrder: readonly MethodName[] = ['truth', 'autoencoder', 'base', 'words', 'lora', 'concept'];

/** Means and spreads over scenes, per method and whether its edits are finished, per kind of edit, per look, and along both sliders. */
export function summariseConcepts(scenes: readonly SceneMeasures[]): {
  methods: MethodSummary[];
  kinds: KindSummary[];
  looks: KindSummary[];
  sliders: SliderSummary[];
} {
  const all = scenes.flatMap(({ methods }) => methods);
  const of = (name: MethodName) => all.filter(({ method }) => method === name);
  const rows = methodOrder.flatMap((method) => [
    { method, finished: false, measured: of(method) },
    { method, finished: true, measured: of(method).filter(({ edits }) => edits.some(({ finished }) => finished)) },
  ]);
  const present = rows.filter(({ measured }) => measured.length > 0);
  return {
    methods: present.map(summariseMethod),
    kinds: kindsOf(all)
      .flatMap((kind) => present.map((row) => summariseKind(kind, null, row)))
      .filter(({ edits }) => edits > 0),
    looks: looksOf(all)
      .flatMap(({ kind, to }) => present.map((row) => summariseKind(kind, to, row)))
      .filter(({ edits }) => edits > 0),
    sliders: summariseSliders(of('concept')),
  };
}

/** What a row of the tables is of: a method's edits as it makes them, or finished. */
interface Row {
  method: MethodName;
  finished: boolean;
  measured: MethodMeasures[];
}

function summariseMethod({ method, finished, measured }: Row): MethodSummary {
  const reconstructions = finished ? [] : measured.map(({ reconstruction }) => reconstruction);
  // A scene's mean over its kinds of edits is one value: scenes are what the spread is over.
  const ofEdits = (value: (edit: EditMeasures) => number | null) =>
    statisticOf(
      measured.map(({ edits }) =>
        meanOf(edits.filter((edit) => edit.variant === null && edit.finished === finished).map(value)),
      ),
    );
  return {
    method,
    finished,
    scenes: measured.length,
    mse: statisticOf(reconstructions.map((each) => each?.mse ?? null)),
    psnr: statisticOf(reconstructions.map((each) => (each ? psnrOfMse(each.mse) : null))),
    identity: statisticOf(reconstructions.map((each) => each?.identity ?? null)),
    editIdentity: ofEdits((edit) => (edit.kind === 'subject' ? null : edit.identity)),
    textAgreement: ofEdits((edit) => edit.textAgreement),
    temporalCoherence: ofEdits((edit) => edit.temporalCoherence),
    success: ofEdits(successOf),
    preservation: ofEdits((edit) => edit.preservation),
    editError: ofEdits((edit) => edit.mse),
    errorInside: ofEdits((edit) => edit.mseInside),
    errorOutside: ofEdits((edit) => edit.mseOutside),
    learnSeconds: statisticOf(measured.map(({ learnSeconds }) => learnSeconds)),
    editSeconds: ofEdits((edit) => edit.seconds),
  };
}

function summariseKind(kind: string, to: string | null, { method, finished, measured }: Row): KindSummary {
  const edits = measured
    .flatMap((each) => each.edits)
    .filter((edit) => nameOf(edit) === kind && (to === null || edit.to === to) && edit.finished === finished);
  const over = (value: (edit: EditMeasures) => number | null) => statisticOf(edits.map(value));
  return {
    kind,
    to,
    method,
    finished,
    edits: edits.length,
    success: over(successOf),
    preservation: over((edit) => edit.preservation),
    identity: over((edit) => edit.identity),
    textAgreement: over((edit) => edit.textAgreement),
    errorInside: over((edit) => edit.mseInside),
    errorOutside: over((edit) => edit.mseOutside),
  };
}

function summariseSliders(measured: MethodMeasures[]): SliderSummary[] {
  const points = measured.flatMap(({ sliders }) => sliders);
  return (['identity', 'motion'] as const).flatMap((slider) => {
    const own = points.filter((point) => point.slider === slider);
    const gains = [...new Set(own.map(({ gain }) => gain))].sort((a, b) => a - b);
    return gains.map((gain): SliderSummary => {
      const at = own.filter((point) => point.gain === gain);
      return {
        slider,
        gain,
        identity: statisticOf(at.map(({ identity }) => identity)),
        mse: statisticOf(at.map(({ mse }) => mse)),
        motionAmount: statisticOf(at.map(({ motionAmount }) => motionAmount)),
        motionAgreement: statisticOf(at.map(({ motionAgreement }) => motionAgreement)),
      };
    });
  });
}

const successOf = ({ success }: EditMeasures) => (success === null ? null : Number(success));

const nameOf = ({ kind, variant }: EditMeasures) => (variant === null ? kind : `${kind}, ${variant}`);

function kindsOf(all: readonly MethodMeasures[]): string[] {
  return [...new Set(all.flatMap(({ edits }) => edits.map(nameOf)))];
}

/** The looks that were asked for, those of one attribute together. */
function looksOf(all: readonly MethodMeasures[]): { kind: string; to: string }[] {
  const edits = all.flatMap((method) => method.edits);
  return lookAttributes.flatMap((kind) =>
    [...new Set(edits.filter((edit) => edit.kind === kind).map(({ to }) => to))].map((to) => ({ kind, to })),
  );
}
