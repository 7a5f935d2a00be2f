import { type ExportPreset, exportPreset, exportPresets } from '../../../shared/domain/export.ts';

/** '{concept} {edit}' -> 'Dancer Edit 3': a name that every file system takes. Unknown places stay as written. */
export function fillTemplate(template: string, values: Record<string, string>): string {
  const filled = template.replaceAll(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
  const safe = filled
    .replaceAll(/[/\\:*?"<>|]/g, ' ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
    .replaceAll(/[\u0000-\u001f]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^\.+/, '')
    .slice(0, 100)
    .trim();
  return safe || 'motif';
}

/** Files of one name would write over one another: the second is called `NAME 2`. */
export function numberDuplicates<T extends { name: string }>(files: readonly T[]): T[] {
  const seen = new Map<string, number>();
  return files.map((file) => {
    const count = (seen.get(file.name) ?? 0) + 1;
    seen.set(file.name, count);
    return count === 1 ? file : { ...file, name: file.name.replace(/(\.[a-z0-9]+)?$/i, ` ${count}$1`) };
  });
}

/**
 * The name of one result in one form. Where the template does not say which form it is, those that share their ending with another
 * one do: 'Dancer.mp4', 'Dancer h265.mp4', 'Dancer Small.mp4' of a form of the user's own.
 */
export function fileName(
  template: string,
  values: Record<string, string>,
  { preset, ownName }: { preset: ExportPreset; ownName: string | null },
): string {
  const form = ownName ?? preset;
  const name = fillTemplate(template, { ...values, preset: form });
  const saysForm = template.includes('{preset}') || (ownName === null && isFirstOfItsKind(preset));
  return `${name}${saysForm ? '' : ` ${fillTemplate('{form}', { form })}`}${exportPresets[preset].extension}`;
}

/** Of the presets that share an ending, the first is the usual one. */
function isFirstOfItsKind(preset: ExportPreset): boolean {
  const { extension } = exportPresets[preset];
  return exportPreset.options.find((other) => exportPresets[other].extension === extension) === preset;
}
