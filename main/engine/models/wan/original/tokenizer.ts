import { AppError } from '../../../../../shared/ipc/result.ts';
import type { CheckpointFile } from '../../../formats/checkpoint-file.ts';
import type { GgufValue } from '../../../formats/gguf.ts';
import { pieceType, readSentencePieces, type SentencePieces } from '../../../formats/sentence-piece.ts';
import { sentencePieceTensor } from './text-encoder.ts';

/** Vocabularies of multilingual models take some 5 MB. */
const maximumModelBytes = 64e6;

/** The tokenizer that a text encoder's file brings along: among the tensors as ComfyUI keeps it, or among what GGUF says; else undefined. */
export async function tokenizerOf({ source, facts }: CheckpointFile): Promise<SentencePieces | undefined> {
  if (source.has(sentencePieceTensor)) {
    const { shape, type } = source.info(sentencePieceTensor);
    if (type !== 'U8' || shape.length !== 1 || shape[0]! > maximumModelBytes)
      throw new AppError('damaged-file', `${source.path}: its tokenizer is stored as ${type} [${shape}]`);
    try {
      return readSentencePieces(Uint8Array.from(await source.readIntegers(sentencePieceTensor)));
    } catch (cause) {
      throw new AppError('damaged-file', `${source.path}: its tokenizer cannot be read: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return ggufPieces(facts);
}

function ggufPieces(facts: CheckpointFile['facts']): SentencePieces | undefined {
  const list = (name: string): GgufValue[] => {
    const value = facts.get(`tokenizer.ggml.${name}`);
    return Array.isArray(value) ? value : [];
  };
  const number = (name: string, otherwise: number) => Number(facts.get(`tokenizer.ggml.${name}`) ?? otherwise);
  const [texts, scores, types] = [list('tokens'), list('scores'), list('token_type')];
  if (facts.get('tokenizer.ggml.model') !== 't5' || texts.length === 0 || scores.length !== texts.length)
    return undefined;
  return {
    pieces: texts.map((text, index) => ({
      text: String(text),
      score: Number(scores[index]),
      type: Number(types[index] ?? pieceType.normal),
    })),
    unknownId: number('unknown_token_id', 2),
    endId: number('eos_token_id', 1),
    paddingId: number('padding_token_id', 0),
    byteFallback: types.includes(pieceType.byte),
    characterMap: Uint8Array.from(list('precompiled_charsmap'), Number),
  };
}

/** `tokenizer.json` and `tokenizer_config.json` as transformers writes them for a T5's vocabulary. */
export function tokenizerFiles(pieces: SentencePieces): { name: string; content: string }[] {
  const special = [pieces.paddingId, pieces.endId, pieces.unknownId].filter((id) => pieces.pieces[id]);
  const textOf = (id: number) => pieces.pieces[id]?.text;
  const isSpecial = ({ type }: { type: number }) => type === pieceType.control || type === pieceType.userDefined;
  const added = pieces.pieces.flatMap((piece, id) =>
    special.includes(id) || isSpecial(piece)
      ? [
          {
            id,
            content: piece.text,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
          },
        ]
      : [],
  );
  const spaces = { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' };
  const map = { type: 'Precompiled', precompiled_charsmap: Buffer.from(pieces.characterMap).toString('base64') };
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const end = textOf(pieces.endId) ?? '</s>';
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: 'Sequence', normalizers: pieces.characterMap.length ? [map, spaces] : [spaces] },
    pre_tokenizer: metaspace,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: end, type_id: 0 } }],
      pair: [
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: end, type_id: 0 } },
        { Sequence: { id: 'B', type_id: 0 } },
        { SpecialToken: { id: end, type_id: 0 } },
      ],
      special_tokens: { [end]: { id: end, ids: [pieces.endId], tokens: [end] } },
    },
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: pieces.unknownId,
      vocab: pieces.pieces.map(({ text, score }) => [text, score]),
      byte_fallback: pieces.byteFallback,
    },
  };
  const config = {
    eos_token: end,
    pad_token: textOf(pieces.paddingId) ?? end,
    unk_token: textOf(pieces.unknownId),
    tokenizer_class: 'T5TokenizerFast',
  };
  return [
    { name: 'tokenizer.json', content: JSON.stringify(tokenizer) },
    { name: 'tokenizer_config.json', content: JSON.stringify(config) },
  ];
}
