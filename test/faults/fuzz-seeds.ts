/** Small, sound files of every format: name and content. */
type Seeds = readonly (readonly [name: string, content: string])[];

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const two = (value: number): string => String(value).padStart(2, '0');

const extended = many(12, (index) => ({
  ts: `2024-03-${two(index + 1)}T10:00:0${index % 10}Z`,
  ms_played: 180_000 + index,
  master_metadata_track_name: index % 5 === 4 ? null : `Títle ${index}`,
  master_metadata_album_artist_name: 'Artist “X”',
  spotify_track_uri: `spotify:track:${String(index).padStart(22, '0')}`,
  episode_name: index % 5 === 4 ? 'Episode' : null,
  episode_show_name: 'Show',
  incognito_mode: index === 3,
}));

const watches = many(10, (index) => ({
  header: index % 4 === 3 ? 'YouTube Music' : 'YouTube',
  title: `Watched Something ${index}`,
  titleUrl: `https://www.youtube.com/watch?v=aaaaaaaaaa${index}`,
  subtitles: [{ name: 'Rope Lab', url: 'https://www.youtube.com/channel/UCropelab0000' }],
  time: `2026-01-${two(index + 1)}T10:30:00.123Z`,
  ...(index === 2 ? { details: [{ name: 'From Google Ads' }] } : {}),
}));

const cell = (index: number): string =>
  `<div class="outer-cell mdl-cell"><div class="mdl-grid"><div class="header-cell mdl-cell"><p class="mdl-typography--title">YouTube<br></p></div>` +
  `<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">Watched&nbsp;<a href="https://www.youtube.com/watch?v=aaaaaaaaaa${index}">A &amp; B ${index}</a><br>` +
  `<a href="https://www.youtube.com/channel/UCrope">Rope Lab</a><br>Aug 1${index}, 2026, 1:14:48 PM CEST<br></div>` +
  `<div class="content-cell mdl-typography--caption"><b>Products:</b><br> YouTube<br><b>Why is this here?</b></div></div></div>`;

const tiktok = {
  'Your Activity': {
    'Watch History': {
      VideoList: many(60, (index) => ({
        Date: `2026-05-14 21:03:${two(index)}`,
        Link: `https://www.tiktokv.com/share/video/73012345678901234${two(index)}/`,
        Title: 'Knots for sailors',
      })),
    },
    Searches: { SearchList: [{ Date: '2026-05-13 08:00:00', SearchTerm: 'knots' }] },
  },
  'TikTok Live': {
    'Watch Live History': { WatchLiveMap: { '7643768707189771030': { WatchTime: '2026-04-01 20:00:00', Link: 'x' } } },
  },
  'Likes and Favorites': {
    'Like List': {
      App: 1,
      ItemFavoriteList: [
        { date: '2026-05-14 21:04:00', link: 'https://www.tiktokv.com/share/video/7301234567890123456/' },
      ],
    },
  },
};

const activityHeader =
  'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';

const exported = many(8, (index) => ({
  platform: 'spotify',
  externalId: `17143389${two(index)}:x`,
  type: 'music',
  action: 'consumed',
  title: `=Title ${index}`,
  consumedAt: `2024-04-28T21:16:0${index}.000Z`,
  tags: [],
  ids: {},
  source: 'extended-history',
  precision: 'second',
  rawMetadata: { album: 'x' },
}));

const listens = many(12, (index) => ({
  inserted_at: 1_700_000_000 + index,
  listened_at: 1_700_000_000 + index * 200,
  recording_msid: `b5a1f0fe-0000-4000-8000-0000000000${two(index)}`,
  user_name: 'ana',
  track_metadata: {
    artist_name: 'Björk',
    track_name: `Jóga ${index}`,
    release_name: 'Homogenic',
    additional_info: {
      duration_ms: '305000',
      isrc: 'GBUM71029604',
      spotify_id: 'https://open.spotify.com/track/4PTG3Z6ehGkBFwjybzWkR8',
      music_service: 'spotify.com',
      origin_url: 'https://example.invalid/track',
      tags: ['pop'],
    },
    mbid_mapping: { recording_mbid: 'b1a9c0e9-d987-4042-ae91-78d6a3267d69' },
  },
}));

type Importer =
  | 'spotify'
  | 'netflix'
  | 'youtube'
  | 'tiktok'
  | 'listenbrainz'
  | 'letterboxd'
  | 'imdb'
  | 'goodreads'
  | 'mca-export';

export const seeds: Readonly<Record<Importer, Seeds>> = {
  spotify: [
    ['Streaming_History_Audio_2024_0.json', JSON.stringify(extended)],
    ['endsong_0.json', JSON.stringify(extended, null, 2)],
    [
      'StreamingHistory_music_0.json',
      JSON.stringify(
        many(12, (index) => ({
          endTime: `2024-03-01 18:${two(index)}`,
          artistName: 'A',
          trackName: `T${index}`,
          msPlayed: 183_000,
        })),
      ),
    ],
  ],
  netflix: [
    [
      'NetflixViewingHistory.csv',
      `Title,Date\n${many(12, (index) => `"Sand Hill: Season 1: Part ${index}","${two(index + 13)}/03/24"`).join('\n')}\n`,
    ],
    [
      'ViewingActivity.csv',
      `${activityHeader}\n${many(12, (index) => `Ana,2026-02-${two(index + 1)} 20:31:07,00:41:12,,"Sand Hill: Season 2: Road ${index} (Episode 3)",,TV,00:42:00,00:42:00,FR (France)`).join('\n')}\n`,
    ],
    [
      'Ratings.csv',
      `Profile Name,Title Name,Rating Type,Star Value,Thumbs Value,Device Model,Event Utc Ts,Region View Date\n${many(12, (index) => `Ana,Sand Hill ${index},thumb,4,2,TV,2026-02-${two(index + 1)} 20:31:07,2026-02-01`).join('\n')}\n`,
    ],
  ],
  youtube: [
    ['watch-history.json', JSON.stringify(watches, null, 2)],
    ['watch-history.html', `<!DOCTYPE html><html><body>${many(9, cell).join('')}</body></html>`],
  ],
  tiktok: [['user_data_tiktok.json', JSON.stringify(tiktok)]],
  listenbrainz: [['listens.jsonl', listens.map((listen) => JSON.stringify(listen)).join('\n')]],
  letterboxd: [
    [
      'diary.csv',
      `Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n${many(12, (index) => `2025-03-${two(index + 2)},"Salt, Pepper & Co ${index}",2019,https://boxd.it/9d${index},4.5,${index % 3 === 0 ? 'Yes' : ''},"cinema, late",2025-03-${two(index + 1)}`).join('\n')}\n`,
    ],
    [
      'ratings.csv',
      `Date,Name,Year,Letterboxd URI,Rating\n${many(12, (index) => `2025-03-${two(index + 1)},Blue Door ${index},2019,https://boxd.it/4f${index},3.5`).join('\n')}\n`,
    ],
    [
      'watched.csv',
      `Date,Name,Year,Letterboxd URI\n${many(12, (index) => `2025-03-${two(index + 1)},Blue Door ${index},2019,https://boxd.it/4f${index}`).join('\n')}\n`,
    ],
  ],
  imdb: [
    [
      'ratings.csv',
      `Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,Release Date,Directors\n${many(12, (index) => `tt990000${two(index)},${(index % 10) + 1},2025-03-${two(index + 1)},Blue Door ${index},Porta azul,https://www.imdb.com/title/tt990000${two(index)},Movie,7.1,104,2019,"Drama, Sci-Fi",1204,2019-05-02,Ines Vale`).join('\n')}\n`,
    ],
    [
      'watchlist.csv',
      `Position,Const,Created,Modified,Description,Title,URL,Title Type,Runtime (mins),Year,Genres,Directors,Your Rating,Date Rated\n${many(12, (index) => `${index + 1},tt990000${two(index)},2025-03-${two(index + 1)},2025-03-${two(index + 1)},note,Blue Door ${index},https://www.imdb.com/title/tt990000${two(index)},Movie,104,2019,"Drama, Sci-Fi",Ines Vale,,`).join('\n')}\n`,
    ],
  ],
  goodreads: [
    [
      'goodreads_library_export.csv',
      `Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies\n${many(12, (index) => `9000000${two(index)},"Sand Hill (Sand Hill, #${index})",Ines Vale,"Vale, Ines",Tom Arden,"=""0306406152""","=""9780306406157""",${index % 6},4.21,Blue Press,Paperback,312,2005,1998,2024/03/${two(index + 1)},2023/12/24,"favorites, sea",sea (#1),${index % 5 === 4 ? 'to-read' : 'read'},"Fine.<br/>",,note,1,0`).join('\n')}\n`,
    ],
  ],
  'mca-export': [
    ['history.jsonl', exported.map((item) => JSON.stringify(item)).join('\n')],
    [
      'history.csv',
      `platform,externalId,type,subtype,action,title,creator,consumedAt,durationMs,timeSpentMs,tags,url,contentId,ids,rating,source,precision,account,rawMetadata\r\n${many(8, (index) => `spotify,17143389${two(index)}:x,music,,consumed,'=T${index},A,2024-04-28T21:16:0${index}.000Z,,1000,[],,,{},,extended-history,second,,{}`).join('\r\n')}\r\n`,
    ],
  ],
};
