//! Which column of a deck is what: header names by synonym.

use unicode_normalization::UnicodeNormalization;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Column {
    Prefix,
    CountryCode,
    Rate,
    FirstIncrement,
    NextIncrement,
    Increments,
    ConnectionFee,
    EffectiveDate,
    EndDate,
    Currency,
}

/// Header names without case, spaces and punctuation. The names of ivozprovider, Kazoo, Yeastar P, A2Billing, FreeSWITCH
/// mod_lcr and of wholesale price lists, with what Japanese lists write.
const NAMES: &[(Column, &[&str])] = &[
    (
        Column::Prefix,
        &[
            "prefix",
            "prefixes",
            "matchprefix",
            "dialprefix",
            "digits",
            "code",
            "codes",
            "dialcode",
            "dialcodes",
            "dialingcode",
            "areacode",
            "areacodes",
            "citycode",
            "citycodes",
            "destinationprefix",
            "destinationprefixes",
            "numberprefix",
            "callprefix",
            "プレフィックス",
            "番号",
            "局番",
            "市外局番",
            "対地番号",
        ],
    ),
    (Column::CountryCode, &["countrycode", "countrycodes", "countrydialcode", "国番号"]),
    (
        Column::Rate,
        &[
            "rate",
            "ratemin",
            "ratepermin",
            "rateperminute",
            "permin",
            "perminute",
            "permincharge",
            "perminutecharge",
            "price",
            "pricemin",
            "pricepermin",
            "priceperminute",
            "chargeperminute",
            "costperminute",
            "rateinitial",
            "ratecost",
            "sellrate",
            "voicerate",
            "料金",
            "通話料",
            "通話料金",
            "単価",
            "分単価",
            "1分料金",
            "料金円分",
            "円分",
            "1分あたり",
            "1分あたりの料金",
        ],
    ),
    (
        Column::FirstIncrement,
        &[
            "firstincrement",
            "initialincrement",
            "interval1",
            "firstinterval",
            "initialinterval",
            "minimum",
            "minduration",
            "minimumduration",
            "minimumseconds",
            "rateminimum",
            "initblock",
            "minincrement",
        ],
    ),
    (
        Column::NextIncrement,
        &[
            "nextincrement",
            "intervaln",
            "nextinterval",
            "subsequentincrement",
            "subsequentinterval",
            "increment",
            "rateincrement",
            "billingincrement",
            "billingblock",
            "billableunit",
            "billableunits",
            "billableunitsec",
            "chargeperiod",
            "roundingseconds",
            "課金単位",
            "課金単位秒",
            "課金秒数",
        ],
    ),
    (Column::Increments, &["increments", "billingincrements", "billing", "billingincrementss", "rounding"]),
    (
        Column::ConnectionFee,
        &[
            "connectionfee",
            "connectfee",
            "connectioncharge",
            "connectcharge",
            "setupfee",
            "surcharge",
            "ratesurcharge",
            "initialcost",
            "接続料",
            "接続料金",
        ],
    ),
    (
        Column::EffectiveDate,
        &[
            "effectivedate",
            "effective",
            "effectivefrom",
            "validfrom",
            "startdate",
            "datestart",
            "適用日",
            "適用開始日",
        ],
    ),
    (Column::EndDate, &["enddate", "dateend", "validto", "validuntil", "expirydate", "適用終了日"]),
    (Column::Currency, &["currency", "currencycode", "通貨"]),
];

/// What a header cell names.
fn column_named(cell: &str) -> Option<Column> {
    let name: String = cell
        .nfkc()
        .filter(|letter| letter.is_alphanumeric() || *letter == 'ー')
        .flat_map(char::to_lowercase)
        .collect();
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| *column)
}

/// The places of the columns that a header line names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Columns(Vec<(Column, usize)>);

impl Columns {
    /// Reads a header line; `None` unless it names a rate and a prefix or country code.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut places: Vec<(Column, usize)> = Vec::new();
        for (place, cell) in cells.enumerate() {
            // Of two columns with the same meaning the first one counts.
            if let Some(column) =
                column_named(cell).filter(|found| places.iter().all(|(known, _)| known != found))
            {
                places.push((column, place));
            }
        }
        let columns = Self(places);
        let has_prefix = columns.place(Column::Prefix).or(columns.place(Column::CountryCode)).is_some();
        (has_prefix && columns.place(Column::Rate).is_some()).then_some(columns)
    }

    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.0.iter().find(|(known, _)| *known == column).map(|(_, place)| *place)
    }

    /// The cell of a column without the space around it; empty where there is none.
    pub(super) fn cell<'a>(&self, record: &'a csv::StringRecord, column: Column) -> &'a str {
        self.place(column).and_then(|place| record.get(place)).unwrap_or_default().trim()
    }

    /// How many columns were understood.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Option<Columns> {
        Columns::of(header.split(','))
    }

    #[test]
    fn the_headers_of_known_products_are_understood() {
        for (header, understood) in [
            ("prefix,description,rate,interval1,intervalN,connect_fee,effective_date", 6),
            ("Target Pattern Name,Prefix,Per minute charge,Connection charge,Charge period", 4),
            (
                "account_id,description,direction,iso_country_code,prefix,pvt_rate_cost,rate_cost,rate_increment,rate_minimum,rate_surcharge",
                5,
            ),
            ("Name,Match Prefix,Number Length,Rate,Billable Unit(s),Initial Time(s),Initial Cost", 4),
            ("dialprefix,destination,rateinitial,initblock,billingblock,connectcharge", 5),
            ("digits,rate,carrier_id,date_start,date_end", 4),
            ("Destination,Country code,City codes,Rate/min,Increments,Currency", 5),
            ("国・地域,国番号,料金（円/分）,課金単位(秒)", 3),
        ] {
            assert_eq!(columns(header).map(|columns| columns.len()), Some(understood), "{header}");
        }
    }

    #[test]
    fn a_line_without_a_prefix_or_without_a_rate_is_no_header() {
        for line in
            ["", "224,175", "destination,rate", "prefix,description", "id,traffic_direction,rate,time_slot"]
        {
            assert_eq!(columns(line), None, "{line}");
        }
    }
}
