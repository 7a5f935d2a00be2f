import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWeights, readJson } from '../../main/engine/formats/diffusers.ts';
import {
  encodeTokens,
  encodeTokensStreaming,
  type TextEncoderParameters,
} from '../../main/engine/models/wan/text-encoder.ts';
import {
  textEncoderConfigSchema,
  textEncoderSpecs,
  textLayerSpecs,
} from '../../main/engine/models/wan/text-encoder-config.ts';
import { loadTokenizer } from '../../main/engine/models/wan/tokenizer.ts';
import { loadParameters } from '../../main/engine/nn/parameters.ts';
import { expectGolden, golden, onEachBackend, openCase } from './golden.ts';

const folder = golden('model/text_encoder');
const { prompts, tokens }: { prompts: string[]; tokens: number } = JSON.parse(
  readFileSync(golden('text.json'), 'utf8'),
);

onEachBackend(() => {
  test('prompts become the same tokens as in transformers: unknown characters, added tokens, cut and padded', async () => {
    const { ids, mask } = await openCase('text');
    const tokenizer = await loadTokenizer(golden('model/tokenizer'));
    const found = tokenizer.encode(prompts, tokens);
    expect(found.ids).toEqual(await ids!.array());
    expect(found.lengths).toEqual(((await mask!.array()) as number[][]).map((row) => row.filter(Boolean).length));
    expect(tokenizer.pieces('a [v] dog')).toContain('[v]');
    expect(found.ids[2]).toContain(tokenizer.idOf('[v]'));
    expect(tokenizer.idOf('[w]')).toBeUndefined();
  });

  test('the text encoder answers as in transformers for prompts of different length', async () => {
    const { embeddings } = await openCase('text');
    const config = await readJson(`${folder}/config.json`, textEncoderConfigSchema);
    const source = await openWeights(folder);
    const parameters = (await loadParameters(source, textEncoderSpecs(config))) as TextEncoderParameters;
    const input = (await loadTokenizer(golden('model/tokenizer'))).encode(prompts, tokens);
    await expectGolden(encodeTokens(config, parameters, input), embeddings!);

    // Padding changes nothing: the shortest prompt alone, in as many tokens as it has.
    const [ids, length] = [input.ids[0]!, input.lengths[0]!];
    const alone = encodeTokens(config, parameters, { ids: [ids.slice(0, length)], lengths: [length] });
    await expectGolden(alone, tf.slice(embeddings!, [0, 0, 0], [1, length, config.d_model]));
    await source.close();
  });

  test('streamed layer by layer it answers the same and keeps nothing', async () => {
    const { embeddings } = await openCase('text');
    const config = await readJson(`${folder}/config.json`, textEncoderConfigSchema);
    const source = await openWeights(folder);
    const input = (await loadTokenizer(golden('model/tokenizer'))).encode(prompts, tokens);
    const before = tf.memory().numTensors;
    const layers: number[] = [];
    const options = { onLayer: (done: number) => layers.push(done) };
    const [found] = await encodeTokensStreaming(config, source, [{ tokens: input }], options);
    await expectGolden(found!, embeddings!);
    found!.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(layers).toEqual([1, 2, 3]);
    const aborted = encodeTokensStreaming(config, source, [{ tokens: input }], { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(tf.memory().numTensors).toBe(before);
    await source.close();
  });

  test('several texts read each streamed layer once, and each comes out to the bit as it does alone', async () => {
    const config = await readJson(`${folder}/config.json`, textEncoderConfigSchema);
    const source = await openWeights(folder);
    const { ids, lengths } = (await loadTokenizer(golden('model/tokenizer'))).encode(prompts, tokens);
    const texts = lengths.map((length, index) => ({
      tokens: { ids: [ids[index]!.slice(0, length)], lengths: [length] },
    }));
    const reading = vi.spyOn(source, 'readFloats');
    const together = await encodeTokensStreaming(config, source, texts);
    const reads = reading.mock.calls.map(([name]) => name).filter((name) => name.startsWith('encoder.'));
    expect(reads).toHaveLength(config.num_layers * textLayerSpecs(config).size + 1);
    expect(new Set(reads).size).toBe(reads.length);
    expect(new Set(lengths).size).toBeGreaterThan(1);
    for (const [index, text] of texts.entries()) {
      const [alone] = await encodeTokensStreaming(config, source, [text]);
      expect(await together[index]!.data()).toEqual(await alone!.data());
      tf.dispose([alone!, together[index]!]);
    }
    await source.close();
  });
});
