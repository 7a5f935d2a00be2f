import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoraLayer, readLora, writeLora } from '../../../../main/engine/formats/lora.ts';
import { loraKeys, parseLoraKey } from '../../../../main/engine/formats/lora-keys.ts';
import { openSafetensors } from '../../../../main/engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../../main/engine/formats/safetensors-write.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-lora-'));
});
afterAll(() => rm(folder, { recursive: true }));

const layers: LoraLayer[] = [
  ['blocks.0.attn1.to_q', 2, 3, 4],
  ['blocks.11.attn2.to_out.0', 1, 5, 3],
  ['blocks.3.ffn.net.0.proj', 2, 3, 6],
  ['condition_embedder.time_embedder.linear_2', 1, 2, 2],
].map(([path, rank, inSize, outSize], index) => ({
  path: path as string,
  rank: rank as number,
  inSize: inSize as number,
  outSize: outSize as number,
  down: Float32Array.from({ length: (rank as number) * (inSize as number) }, (_, i) => index + i / 8),
  up: Float32Array.from({ length: (rank as number) * (outSize as number) }, (_, i) => index - i / 4),
}));

describe('LoRA files', () => {
  for (const dialect of ['diffusers', 'comfyui', 'kohya'] as const) {
    it(`in the ${dialect} dialect come back as they were written`, async () => {
      const file = join(folder, `${dialect}.safetensors`);
      await writeLora(file, layers, dialect);
      expect(await readLora(file)).toEqual({ dialect, rank: 2, layers, alphaMissing: false });
    });
  }

  it("of kohya's dialect name every layer that its readers expect", async () => {
    const file = join(folder, 'full.safetensors');
    await writeLora(file, layers, 'kohya', [{ path: 'blocks.0.ffn.net.2', inSize: 7, outSize: 3 }]);
    const source = await openSafetensors(file);
    expect(source.info('lora_unet_blocks_0_ffn_2.lora_down.weight').shape).toEqual([1, 7]);
    expect(source.info('lora_unet_blocks_0_self_attn_q.alpha').shape).toEqual([]);
    await source.close();
  });

  it('have their alpha folded in', async () => {
    const file = join(folder, 'alpha.safetensors');
    await writeSafetensors(file, [
      { name: 'lora_unet_blocks_0_self_attn_q.lora_down.weight', shape: [4, 1], values: Float32Array.of(1, 1, 1, 1) },
      { name: 'lora_unet_blocks_0_self_attn_q.lora_up.weight', shape: [1, 4], values: Float32Array.of(1, 2, 3, 4) },
      { name: 'lora_unet_blocks_0_self_attn_q.alpha', shape: [], values: Float32Array.of(2) },
    ]);
    const [layer] = (await readLora(file)).layers;
    expect([...layer!.up]).toEqual([0.5, 1, 1.5, 2]);
  });

  it('have the alpha of their PEFT metadata folded in, layer by layer', async () => {
    const file = join(folder, 'metadata.safetensors');
    const pair = (path: string) => [
      { name: `transformer.${path}.lora_A.weight`, shape: [2, 1], values: Float32Array.of(1, 1) },
      { name: `transformer.${path}.lora_B.weight`, shape: [1, 2], values: Float32Array.of(1, 2) },
    ];
    await writeSafetensors(file, [...pair('blocks.0.attn1.to_q'), ...pair('blocks.0.attn1.to_k')], {
      lora_adapter_metadata: JSON.stringify({
        'transformer.r': 2,
        'transformer.lora_alpha': 8,
        'transformer.alpha_pattern': { 'attn1.to_k': 1 },
      }),
    });
    const { layers } = await readLora(file);
    expect(layers.map(({ up }) => [...up])).toEqual([
      [4, 8],
      [0.5, 1],
    ]);
  });

  describe('that PEFT saved', () => {
    const paths = ['blocks.0.attn1.to_q', 'blocks.0.attn1.to_v', 'blocks.1.attn1.to_q', 'blocks.1.ffn.net.2'];
    /** The first value of each layer's `up`, which is 1 in the file. */
    const scales = async (config: object | string | null, ranks = [4, 4, 4, 4]) => {
      const place = await mkdtemp(join(folder, 'peft-'));
      const file = join(place, 'adapter_model.safetensors');
      await writeSafetensors(
        file,
        paths.flatMap((path, index) => [
          {
            name: `base_model.model.${path}.lora_A.weight`,
            shape: [ranks[index]!, 1],
            values: new Float32Array(ranks[index]!).fill(1),
          },
          {
            name: `base_model.model.${path}.lora_B.weight`,
            shape: [1, ranks[index]!],
            values: new Float32Array(ranks[index]!).fill(1),
          },
        ]),
      );
      if (config !== null)
        await writeFile(
          join(place, 'adapter_config.json'),
          typeof config === 'string' ? config : JSON.stringify(config),
        );
      const { layers, alphaMissing } = await readLora(file);
      return { scales: layers.map(({ up }) => up[0]), alphaMissing };
    };

    it('have the alpha of the adapter_config.json beside them', async () => {
      const { scales: found, alphaMissing } = await scales({
        peft_type: 'LORA',
        r: 4,
        lora_alpha: 8,
        bias: 'none',
        use_dora: false,
      });
      expect(found).toEqual([2, 2, 2, 2]);
      expect(alphaMissing).toBe(false);
    });

    it('are scaled by the square root of the rank where rsLoRA is used', async () => {
      expect((await scales({ r: 4, lora_alpha: 8, use_rslora: true })).scales).toEqual([4, 4, 4, 4]);
    });

    it('take rank and alpha of the first pattern that fits the end of a name, as PEFT does', async () => {
      const config = {
        r: 4,
        lora_alpha: 4,
        rank_pattern: { 'attn1.to_q': 8, '^blocks\\.\\d+\\.ffn.net.2': 2 },
        alpha_pattern: { '^blocks.1.attn1.to_q': 16, to_q: 32, '(to_v|to_k)': 1 },
      };
      expect((await scales(config, [8, 4, 8, 2])).scales).toEqual([4, 0.25, 2, 2]);
    });

    it('are taken at alpha = rank where the configuration is missing, and say so', async () => {
      expect(await scales(null)).toEqual({ scales: [1, 1, 1, 1], alphaMissing: true });
    });

    it.each<[what: string, config: object | string, message: RegExp]>([
      ['belongs to another adapter', { r: 16, lora_alpha: 16 }, /speaks of rank 16.*are of rank 4/],
      ['is of another method', { peft_type: 'LOHA', r: 4 }, /only LoRA adapters/],
      ['asks for DoRA', { r: 4, lora_alpha: 4, use_dora: true }, /DoRA is more/],
      ['has an alpha that is no number', '{"r":4,"lora_alpha":1e999}', /lora_alpha/],
      ['is not JSON', 'r: 4', /not JSON/],
      [
        'has a pattern that could take for ever',
        { r: 4, lora_alpha: 4, alpha_pattern: { '(t+)+$': 1 } },
        /not understood/,
      ],
    ])('are refused when their configuration %s', async (_, config, message) => {
      await expect(scales(config)).rejects.toThrow(message);
    });
  });

  it.each<[what: string, up: Float32Array, alpha: number, message: RegExp]>([
    ['what is no number', Float32Array.of(1, Number.NaN), 2, /holds NaN/],
    ['infinity', Float32Array.of(1, Number.POSITIVE_INFINITY), 2, /holds Infinity/],
    ['an alpha that is no number', Float32Array.of(1, 1), Number.NaN, /holds NaN/],
    ['an alpha that makes it infinite', Float32Array.of(1, 1e30), 1e30, /holds Infinity/],
  ])('that hold %s are damaged', async (_, up, alpha, message) => {
    const file = join(folder, 'infinite.safetensors');
    await writeSafetensors(file, [
      { name: 'lora_unet_blocks_0_self_attn_q.lora_down.weight', shape: [2, 1], values: Float32Array.of(1, 1) },
      { name: 'lora_unet_blocks_0_self_attn_q.lora_up.weight', shape: [1, 2], values: up },
      { name: 'lora_unet_blocks_0_self_attn_q.alpha', shape: [], values: Float32Array.of(alpha) },
    ]);
    await expect(readLora(file)).rejects.toMatchObject({
      code: 'damaged-file',
      message: expect.stringMatching(message),
    });
  });

  it('that describe a layer twice, in two ways of naming it, are damaged', async () => {
    const file = join(folder, 'twice.safetensors');
    const pair = (prefix: string) => [
      { name: `${prefix}blocks.0.attn1.to_q.lora_A.weight`, shape: [1, 1], values: Float32Array.of(1) },
      { name: `${prefix}blocks.0.attn1.to_q.lora_B.weight`, shape: [1, 1], values: Float32Array.of(1) },
    ];
    await writeSafetensors(file, [...pair('transformer.'), ...pair('')]);
    await expect(readLora(file)).rejects.toMatchObject({
      code: 'damaged-file',
      message: expect.stringContaining('twice'),
    });
  });

  it('of a rank that no concept can have are refused', async () => {
    const file = join(folder, 'high.safetensors');
    await writeSafetensors(file, [
      { name: 'transformer.blocks.0.attn1.to_q.lora_A.weight', shape: [257, 1], values: new Float32Array(257) },
      { name: 'transformer.blocks.0.attn1.to_q.lora_B.weight', shape: [1, 257], values: new Float32Array(257) },
    ]);
    await expect(readLora(file)).rejects.toMatchObject({ code: 'invalid-input', hint: expect.stringContaining('256') });
  });

  const wrong: [what: string, name: string, message: string][] = [
    ['of another architecture', 'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight', 'not a LoRA file'],
    ['with DoRA magnitudes', 'diffusion_model.blocks.0.self_attn.q.dora_scale', 'DoRA'],
    ['with changed biases', 'diffusion_model.blocks.0.self_attn.q.diff_b', 'more than low-rank'],
    ['with half a layer', 'diffusion_model.blocks.0.self_attn.q.lora_A.weight', 'only one of its two'],
  ];
  for (const [what, name, message] of wrong) {
    it(`${what} are refused with the reason`, async () => {
      const file = join(folder, 'wrong.safetensors');
      await writeSafetensors(file, [{ name, shape: [1, 1], values: Float32Array.of(1) }]);
      await expect(readLora(file)).rejects.toThrow(message);
    });
  }

  it('whose two matrices do not fit each other are damaged', async () => {
    const file = join(folder, 'misfit.safetensors');
    await writeSafetensors(file, [
      { name: 'transformer.blocks.0.attn1.to_q.lora_A.weight', shape: [2, 3], values: new Float32Array(6) },
      { name: 'transformer.blocks.0.attn1.to_q.lora_B.weight', shape: [3, 1], values: new Float32Array(3) },
    ]);
    await expect(readLora(file)).rejects.toMatchObject({ code: 'damaged-file' });
  });
});

describe('keys of LoRA files', () => {
  it("understands PEFT's own prefix", () => {
    expect(parseLoraKey('base_model.model.blocks.2.attn2.to_v.lora_A.weight')).toEqual({
      dialect: 'diffusers',
      path: 'blocks.2.attn2.to_v',
      part: 'down',
    });
  });

  it('says the feed-forward layers in each dialect', () => {
    expect(loraKeys('blocks.1.ffn.net.0.proj', 'comfyui').down).toBe('diffusion_model.blocks.1.ffn.0.lora_A.weight');
    expect(loraKeys('blocks.1.ffn.net.2', 'kohya').up).toBe('lora_unet_blocks_1_ffn_2.lora_up.weight');
    expect(loraKeys('blocks.1.ffn.net.2', 'diffusers').up).toBe('transformer.blocks.1.ffn.net.2.lora_B.weight');
    expect(() => loraKeys('patch_embedding', 'comfyui')).toThrow('patch_embedding');
  });
});
