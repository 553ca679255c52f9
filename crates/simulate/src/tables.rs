//! Distributions as integer tables; how each was made stands beside it.

/// Milliseconds of a short call: log-normal of median 20 s and sigma 0.8, at 64 equal steps of probability, the ends
/// cut at 0.3 % and 99.7 %. With [`LONG_TALK`] this is the mixture of two log-normals that fits fixed and IP lines.
pub(crate) const SHORT_TALK: [i64; 65] = [
    2220, 3570, 4507, 5233, 5862, 6433, 6968, 7477, 7968, 8446, 8915, 9377, 9836, 10292, 10747, 11202, 11660,
    12120, 12584, 13053, 13527, 14008, 14497, 14994, 15500, 16016, 16543, 17082, 17635, 18202, 18784, 19383,
    20000, 20637, 21295, 21976, 22682, 23416, 24179, 24975, 25807, 26678, 27592, 28554, 29570, 30645, 31786,
    33003, 34306, 35707, 37221, 38867, 40668, 42656, 44868, 47358, 50200, 53497, 57406, 62176, 68240, 76438,
    88758, 112_037, 180_180,
];

/// Milliseconds of a longer call: log-normal of median 95 s and sigma 1.0, cut the same way.
pub(crate) const LONG_TALK: [i64; 65] = [
    6087, 11023, 14749, 17778, 20486, 23013, 25428, 27772, 30070, 32342, 34601, 36859, 39124, 41404, 43705,
    46033, 48395, 50794, 53237, 55727, 58271, 60872, 63537, 66271, 69078, 71965, 74939, 78005, 81172, 84446,
    87835, 91350, 95000, 98796, 102_749, 106_874, 111_184, 115_697, 120_431, 125_407, 130_649, 136_184,
    142_043, 148_261, 154_880, 161_950, 169_526, 177_679, 186_488, 196_054, 206_500, 217_977, 230_678,
    244_853, 260_830, 279_050, 300_133, 324_971, 354_918, 392_162, 440_538, 507_662, 611_924, 818_728,
    1_482_757,
];

/// Share of short calls, per thousand: the mixture's mean is then 111 s, between the 105 s and 115 s that the Japanese
/// ministry reports for IP phones in the business years 2018 and 2016.
pub(crate) const SHORT_SHARE: u64 = 350;

/// Calls of one extension and kind on a working day: negative binomial of mean 3.5 and k 1.2 (many quiet extensions and a
/// few busy ones), cumulative, of 65,535.
pub(crate) const CALLS_PER_DAY: [u32; 36] = [
    12734, 24114, 33436, 40840, 46630, 51114, 54564, 57207, 59224, 60760, 61926, 62811, 63480, 63987, 64369,
    64658, 64875, 65039, 65163, 65255, 65325, 65378, 65417, 65447, 65469, 65486, 65498, 65508, 65515, 65520,
    65524, 65527, 65529, 65531, 65532, 65535,
];

/// Weight of each hour of a working day: high from 9 to 12 and from 13 to 18 with the noon dip of Japanese business lines
/// (white paper of the ministry, 2005).
pub(crate) const HOURS: [u64; 24] =
    [0, 0, 0, 0, 0, 0, 0, 0, 5, 13, 13, 12, 5, 11, 11, 11, 10, 7, 2, 0, 0, 0, 0, 0];

/// Calls per thousand of a Monday's, Monday first. An assumption: no figures are published.
pub(crate) const WEEKDAYS: [u64; 7] = [1000, 1000, 1000, 1000, 1000, 60, 15];
