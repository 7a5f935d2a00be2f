/** A browser in the POSIX locale names a language that Intl refuses ("en-US@posix"); the plots ask for it as soon as they are loaded. */
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
