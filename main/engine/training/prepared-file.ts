import { stat } from 'node:fs/promises';
import { openSafetensors } from '../formats/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../formats/safetensors-write.ts';

/** Latents [channels, frames, height, width]. */
export type Latents = { values: Float32Array; shape: number[] };

/** A clip of the concept, or two side by side: as a whole, and its pictures each encoded alone. */
export type EncodedClip = { clip: Latents; pictures: Latents[] };

/** What a run computes once and keeps in its folder, so that a resumed run goes on with the very same numbers. */
export type PreparedLatents = {
  clips: EncodedClip[];
  stitched: EncodedClip[];
  /** Clips sampled from the base model, one for each prior caption. */
  prior: Latents[];
};

/** Writes beside and renames, so that the file holds everything or is not there. */
export async function writePrepared(file: string, { clips, stitched, prior }: PreparedLatents): Promise<void> {
  const tensor = (name: string, { values, shape }: Latents): TensorToWrite => ({ name, shape, values });
  const encoded = (kind: string, list: EncodedClip[]) =>
    list.flatMap(({ clip, pictures }, index) => [
      tensor(`${kind}.${index}.clip`, clip),
      ...pictures.map((picture, frame) => tensor(`${kind}.${index}.picture.${frame}`, picture)),
    ]);
  const tensors = [
    ...encoded('clips', clips),
    ...encoded('stitched', stitched),
    ...prior.map((latents, index) => tensor(`prior.${index}`, latents)),
  ];
  await writeSafetensors(file, tensors);
}

/** What was prepared, or undefined when there is no such file yet. */
export async function readPrepared(file: string): Promise<PreparedLatents | undefined> {
  const exists = await stat(file).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const source = await openSafetensors(file);
  try {
    const latents = async (name: string): Promise<Latents> => ({
      values: await source.readFloats(name),
      shape: source.info(name).shape,
    });
    const series = async (prefix: string): Promise<Latents[]> => {
      const list: Latents[] = [];
      while (source.has(`${prefix}.${list.length}`)) list.push(await latents(`${prefix}.${list.length}`));
      return list;
    };
    const encoded = async (kind: string): Promise<EncodedClip[]> => {
      const list: EncodedClip[] = [];
      while (source.has(`${kind}.${list.length}.clip`)) {
        const prefix = `${kind}.${list.length}`;
        list.push({ clip: await latents(`${prefix}.clip`), pictures: await series(`${prefix}.picture`) });
      }
      return list;
    };
    return { clips: await encoded('clips'), stitched: await encoded('stitched'), prior: await series('prior') };
  } finally {
    await source.close();
  }
}
