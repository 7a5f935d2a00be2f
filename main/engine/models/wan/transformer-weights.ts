import type { WeightForm } from '../../../../shared/domain/weight-form.ts';
import { openWeights } from '../../formats/diffusers.ts';
import { loadParameters } from '../../nn/parameters.ts';
import { disposeTree } from '../../nn/tree.ts';
import { loadedOnce } from '../components.ts';
import type { TransformerParameters } from './transformer.ts';
import { type TransformerConfig, transformerSpecs } from './transformer-config.ts';

/** The matrices of the blocks, nearly all that there is. */
const blockMatrices = /^blocks\..*\.weight$/;

/** A transformer's weights in its folder, read at their first use and held in one form. */
export interface TransformerWeights {
  readonly form: WeightForm;
  readonly isLoaded: boolean;
  parameters(): Promise<TransformerParameters>;
  /** Lets go of weights that are held in another form; they are read again in this one. */
  use(form: WeightForm): Promise<void>;
  release(): Promise<void>;
}

export function transformerWeights(folder: string, config: TransformerConfig): TransformerWeights {
  let form: WeightForm = 'float32';
  let isLoaded = false;
  const loaded = loadedOnce(
    async () => {
      const source = await openWeights(folder);
      let parameters: TransformerParameters | undefined;
      try {
        parameters = (await loadParameters(source, transformerSpecs(config), {
          ignore: /norm_added_q/,
          held: { form, names: blockMatrices },
        })) as TransformerParameters;
        isLoaded = true;
        return { parameters, source };
      } finally {
        if (!parameters || form !== 'streamed') await source.close();
      }
    },
    async ({ parameters, source }) => {
      isLoaded = false;
      disposeTree(parameters);
      if (form === 'streamed') await source.close();
    },
  );
  return {
    get form() {
      return form;
    },
    get isLoaded() {
      return isLoaded;
    },
    parameters: async () => (await loaded()).parameters,
    async use(next) {
      if (next === form) return;
      await loaded.release();
      form = next;
    },
    release: loaded.release,
  };
}
