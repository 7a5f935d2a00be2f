/** What a line of ffmpeg's log (`-loglevel repeat+level+info`) says about decoding. */
export type LogLine = { kind: 'picture'; seconds: number | undefined } | { kind: 'complaint' };

/** `[Parsed_showinfo_7 @ 0x55d3c8db11c0] [info] n:   0 pts:  93867 pts_time:1.04297 ...`; a picture without a time says NOPTS. */
const picture = /^\[Parsed_showinfo_\d+ @ (?:0x)?[0-9a-fA-F]+\] \[info\] n: *\d+ pts: *\S+ +pts_time:(\S+)/;
/** A part of ffmpeg speaks, such as `[h264 @ 0x55d3c8db11c0] [error] ...`. The file's name and titles never begin a line so. */
const complaint = /^(?:\[[\w,./#: ]+ @ (?:0x)?[0-9a-fA-F]+\] )+\[(?:error|fatal|panic)\]/;

/** Undefined for what is neither: titles, paths and everything else that is only mentioned. */
export function readLogLine(line: string): LogLine | undefined {
  const time = picture.exec(line)?.[1];
  if (time !== undefined) return { kind: 'picture', seconds: Number.isFinite(Number(time)) ? Number(time) : undefined };
  return complaint.test(line) ? { kind: 'complaint' } : undefined;
}
