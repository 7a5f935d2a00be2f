/**
 * A clip that came with a concept has no file on this machine: its path is null. A bare name, which stood there, would be looked for in
 * whatever folder the program was started in. Absolute are `/...`, `C:\...` and `\\server\...`.
 */
export const clipsWithoutSource = String.raw`
UPDATE clips SET source = json_set(source, '$.path', NULL)
WHERE NOT (
  json_extract(source, '$.path') GLOB '/*'
  OR json_extract(source, '$.path') GLOB '[A-Za-z]:[\/]*'
  OR json_extract(source, '$.path') GLOB '\\*'
);
`;
