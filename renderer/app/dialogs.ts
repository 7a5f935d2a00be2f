export type InspectorTab = 'looks' | 'learn' | 'edit' | 'compose';

export type DialogName =
  | 'export'
  | 'settings'
  | 'shortcuts'
  | 'details'
  | 'paste'
  | 'report'
  | 'apply'
  | 'trash'
  | 'versions'
  | 'studies'
  | 'study';

/** The dialog over the window, if any: whoever may open or close one. */
export interface Dialogs {
  dialog: DialogName | null;
}
