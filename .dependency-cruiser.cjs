const only = (name, from, ...allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(shared|main|renderer)/', pathNot: [from, ...allowed] },
});
const never = (name, from, to) => ({ name, severity: 'error', from: { path: from }, to: { path: to } });

/** What a feature of the window has for others besides the types of its states. */
const lent = [
  'edit/(beside|PictureNote|TokenLegend|UnknownWords|WordsField|PhraseMenus)',
  'learn/clip-words',
  'library/(Thumbnail|import-range)',
  'player/(FinishTools|FramesPicture|frame-store|source-frames)',
  'queue/name-template',
  'shell/Splitter',
];

/** Who may import whom: the table of the README's map, checked. */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('shared-is-alone', '^shared/'),
    never('shared-imports-only-zod', '^shared/', 'node_modules/(?!zod/)'),
    {
      name: 'shared-without-node',
      severity: 'error',
      from: { path: '^shared/' },
      to: { dependencyTypes: ['core'] },
    },
    never(
      'engine-by-its-index',
      '^main/(app|server|host|services|jobs|library|media)/',
      '^main/engine/(?!index\\.ts$)',
    ),
    never('commands-by-services', '^main/cli/(?!bench/)', '^main/engine/(?!index\\.ts$|metrics/)'),
    never('server-without-renderer', '^main/', '^renderer/'),
    never('electron-in-the-app-alone', '^main/(?!app/)', 'node_modules/electron/'),
    never('sqlite-in-the-library-alone', '^main/(?!library/)', 'node_modules/better-sqlite3/'),
    only('main-app', '^main/app/', '^main/(host|services|engine-host)/', '^shared/'),
    only('main-server', '^main/server/', '^main/(host|services|files)/', '^main/node-version\\.ts$', '^shared/'),
    only('main-host', '^main/host/', '^main/services/', '^shared/'),
    only('main-services', '^main/services/', '^main/(jobs|library|media|engine-host|files)/', '^shared/'),
    only('main-jobs', '^main/jobs/', '^main/(library|media|engine-host|files)/', '^shared/'),
    only('main-files', '^main/files/', '^shared/'),
    only('main-library', '^main/library/', '^main/files/', '^shared/'),
    only('main-media', '^main/media/', '^main/files/', '^shared/'),
    only('main-engine-host', '^main/engine-host/', '^main/engine/index\\.ts$', '^shared/'),
    only('main-engine', '^main/engine/', '^main/(world|files)/', '^shared/(domain|finish|ipc|statistics|structures)'),
    only('world-alone', '^main/world/', '^main/files/', '^shared/'),
    never(
      'engine-knows-no-host',
      '^main/engine/',
      'node_modules/(electron|better-sqlite3|@ffmpeg-installer|@ffprobe-installer)',
    ),
    never('one-door-to-tensorflow', '^main/(?!engine/backends/)', 'node_modules/@tensorflow'),
    never(
      'one-import-of-tensorflow',
      '^main/engine/backends/(?!(tf|select|gradients)\\.ts$|tensorflow/)',
      'node_modules/@tensorflow',
    ),
    never(
      'formats-and-backends-first',
      '^main/engine/(formats|backends)/',
      '^main/engine/(nn|models|adapters|methods|training|sampling|metrics)/',
    ),
    never('nn-below-models', '^main/engine/nn/', '^main/engine/(models|adapters|methods|training|sampling|metrics)/'),
    never(
      'models-below-training',
      '^main/engine/(models|adapters)/',
      '^main/engine/(methods|training|sampling|metrics)/',
    ),
    never('models-by-their-registry', '^main/(?!engine/models/)', '^main/engine/models/wan/'),
    never('methods-below-training', '^main/engine/methods/', '^main/engine/(training|sampling|metrics)/'),
    never('metrics-and-sampling-without-training', '^main/engine/(metrics|sampling)/', '^main/engine/training/'),
    never('world-for-evaluation', '^main/(?!engine/evaluation/|world/)', '^main/world/'),
    never(
      'evaluation-last',
      '^main/engine/(formats|backends|nn|models|adapters|methods|training|sampling|metrics)/',
      '^main/engine/evaluation/',
    ),
    never('inside-the-engine-no-index', '^main/engine/.+/', '^main/engine/index\\.ts$'),
    only('renderer', '^renderer/', '^shared/'),
    never('features-by-their-contexts', '^renderer/(features|ui|text|host)/', '^renderer/(App|app/(editor|contexts))'),
    only('ui-knows-no-feature', '^renderer/ui/', '^renderer/text/'),
    {
      name: 'features-by-what-they-lend',
      severity: 'error',
      from: { path: '^renderer/features/([^/]+)/' },
      to: {
        path: '^renderer/features/',
        pathNot: ['^renderer/features/$1/', `^renderer/features/(${lent.join('|')})\\.`],
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
    },
  },
};
