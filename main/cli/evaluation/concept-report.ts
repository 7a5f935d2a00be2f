import type {
  EvaluateConceptResult,
  KindSummary,
  MethodName,
  MethodSummary,
} from '../../../shared/domain/evaluation.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { startStrength, strengthSettings } from '../../../shared/domain/strength.ts';
import { formatTable } from '../tables.ts';
import { percent, spread } from './numbers.ts';

/** The tables of `motif evaluate concept`. */
export function formatConceptReport({ methods, kinds, looks, sliders }: EvaluateConceptResult, recipe: Recipe): string {
  const names: Record<MethodName, string> = {
    truth: 're-rendered truth',
    autoencoder: 'autoencoder alone',
    base: 'base model from noise',
    words: 'words alone',
    lora: 'plain LoRA, rank 8',
    concept: `${recipe.method}, rank ${recipe.rank}`,
  };
  const parts = [
    reconstructionTable(methods, names),
    editTable(methods, names),
    kindTable('kind of edit', kinds, names),
  ];
  if (looks.length > 0) parts.push(kindTable('look', looks, names));
  if (sliders.length > 0)
    parts.push(
      formatTable(
        ['slider', 'gain', 'ID', 'MSE', 'motion amount', 'motion agreement'],
        sliders.map((point) => [
          point.slider,
          point.gain.toFixed(2),
          spread(point.identity, 3),
          spread(point.mse, 4),
          spread(point.motionAmount, 2),
          spread(point.motionAgreement, 2),
        ]),
      ),
    );
  return [...parts, explanation()].join('\n\n');
}

function explanation(): string {
  const { fidelity, guidance } = strengthSettings(startStrength);
  return [
    'Mean ± standard deviation over scenes. MSE over values 0 to 1. ID: cosine of the mean frame embeddings of clip and source;',
    'C-T: cosine of the embeddings of clip and plain prompt; TC: mean cosine of consecutive frames; all by the judge. Edits: MSE is',
    'the true error against the re-rendered edit, inside is where it may change the picture, outside where it must not; success:',
    'the judge names the new attribute; preserved: it names the others as in the source; ID without edits that replace the',
    "subject. Motion: optical flow against the source's, by its mean length and by its cosine.",
    'Words alone: the base model, nothing learned, leads the source from its caption to the edited one (FlowEdit) at the strength',
    `that a look begins with, ${startStrength} (fidelity ${fidelity}, guidance ${guidance} where --guidance says nothing else). Finished: the change of colours done to the`,
    'source itself, at the size of the model; edits from noise cannot be finished.',
  ].join('\n');
}

type Names = Record<MethodName, string>;

const rowName = (names: Names, { method, finished }: { method: MethodName; finished: boolean }) =>
  finished ? `${names[method]}, finished` : names[method];

function reconstructionTable(methods: MethodSummary[], names: Names): string {
  return formatTable(
    ['reconstruction', 'scenes', 'MSE', 'PSNR dB', 'ID', 'learning s'],
    methods
      .filter(({ mse }) => mse.count > 0)
      .map((row) => [
        names[row.method],
        String(row.scenes),
        spread(row.mse, 4),
        spread(row.psnr, 2),
        spread(row.identity, 3),
        spread(row.learnSeconds, 0),
      ]),
  );
}

function editTable(methods: MethodSummary[], names: Names): string {
  return formatTable(
    ['edits', 'success %', 'preserved %', 'MSE', 'inside', 'outside', 'ID', 'C-T', 'TC', 's per edit'],
    methods
      .filter(({ method }) => method !== 'autoencoder')
      .map((row) => [
        rowName(names, row),
        percent(row.success),
        percent(row.preservation),
        spread(row.editError, 4),
        spread(row.errorInside, 4),
        spread(row.errorOutside, 4),
        spread(row.editIdentity, 3),
        spread(row.textAgreement, 3),
        spread(row.temporalCoherence, 4),
        spread(row.editSeconds, 1),
      ]),
  );
}

function kindTable(first: string, kinds: KindSummary[], names: Names): string {
  return formatTable(
    [first, 'by', 'edits', 'success %', 'preserved %', 'inside', 'outside', 'ID', 'C-T'],
    kinds.map((row) => [
      row.to === null ? row.kind : `${row.kind}: ${row.to}`,
      rowName(names, row),
      String(row.edits),
      percent(row.success),
      percent(row.preservation),
      spread(row.errorInside, 4),
      spread(row.errorOutside, 4),
      spread(row.identity, 3),
      spread(row.textAgreement, 3),
    ]),
  );
}
