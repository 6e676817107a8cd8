/**
 * Base names of the watch history in the languages that were seen: English, Dutch, German, Spanish (old and new), Arabic, Turkish,
 * Chinese; and of My Activity, which tells the same and more.
 */
const NAMES = [
  'watch-history',
  'kijkgeschiedenis',
  'Wiedergabeverlauf',
  'historial[- ]de[- ]reproducciones',
  'سجل المشاهدة',
  '[iİ]zleme geçmişi',
  '观看记录',
  'My ?Activity',
  'MeineAktivitäten',
  'MiActividad',
  'MijnActiviteit',
];

/** Known names of the watch history, whatever tools add to them when they split it. */
export function namesOf(extension: 'json' | 'html'): RegExp {
  return new RegExp(`^(?:${NAMES.join('|')})(?:[- ]?\\d+)?\\.${extension}$`, 'iu');
}

/** Anything below a folder of YouTube: in other languages the content decides. */
export function pathsOf(extension: 'json' | 'html'): RegExp {
  return new RegExp(`(?:^|[/!])YouTube[^/]*/.+\\.${extension}$`, 'u');
}
