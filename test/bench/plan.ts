import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchResidentMemory } from '../../main/cli/bench/resident-memory.ts';
import { createEngine } from '../../main/engine/index.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { learningBytes } from '../../shared/domain/model.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { writeRandom } from './full-size-models.ts';

/** What a learning takes, and what the plan said. */
const [name = 'embedded', batch = '3', device = 'onnxruntime'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'motif-plan-'));
const model = name === 'embedded' ? join(process.cwd(), 'resources/models/motif-tiny') : join(folder, 'model');
if (name !== 'embedded') {
  cpSync(join(process.cwd(), 'test/golden/model'), model, { recursive: true });
  const config = transformerConfigSchema.parse({
    ...{
      num_attention_heads: 12,
      ffn_dim: 6144,
      num_layers: Number(name),
      text_dim: 24,
      in_channels: 4,
      out_channels: 4,
    },
  });
  writeFileSync(join(model, 'transformer/config.json'), JSON.stringify(config));
  rmSync(join(model, 'transformer/diffusion_pytorch_model.safetensors'));
  await writeRandom(
    join(model, 'transformer/diffusion_pytorch_model.safetensors'),
    new Map([...transformerSpecs(config)].map(([n, { stored }]) => [n, stored])),
  );
  writeFileSync(
    join(model, 'motif.json'),
    JSON.stringify({ frameRate: 8, frames: 17, sizes: [{ width: 128, height: 128 }], maxTextTokens: 64 }),
  );
}
const engine = await createEngine({ device: device as 'onnxruntime' });
const info = await engine.describeModel({ model });
const rule = recipe.parse({
  stepsIdentity: 2,
  stepsMotion: 3,
  priorClips: 1,
  batchSizeMotion: Number(batch),
  rank: 16,
});
const frames = {
  file: join(folder, 'clip.rgb'),
  frameCount: 17,
  width: 128,
  height: 128,
  rate: { numerator: 8, denominator: 1 },
};
writeFileSync(
  frames.file,
  new Uint8Array(17 * 128 * 128 * 3).map((_, index) => (index * 7) % 251),
);
const watch = watchResidentMemory();
await engine.learn({
  model,
  clips: [{ frames, caption: { static: 'a [v] dog on the beach', dynamic: 'runs in [u] motion' } }],
  recipe: rule,
  workDirectory: join(folder, 'work'),
  conceptFile: join(folder, 'concept.safetensors'),
});
const { ownBytes } = watch.end();
const planned = learningBytes(info, rule, 20e9);
console.log(
  `${name} ${batch}: ${(ownBytes / 1e6).toFixed(0)} MB used, ${(planned / 1e6).toFixed(0)} MB planned (${(planned / ownBytes).toFixed(2)}) P ${info.parameters} A ${info.activationsPerToken} layers ${info.layers} stride ${info.spatialStride}`,
);
await engine.dispose();
rmSync(folder, { recursive: true });
