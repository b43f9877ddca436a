package injection

import "strings"

// longestWord is the length of the longest of words, and less than 32, where the engine's end.
const longestWord = 29

// words are those that the engine knows, as far as the filter minds, in small letters and up to
// their first character that isn't a letter or an underscore.
var words = wordsOf(map[uint8]string{
	// unions, expressions, groups and logical operators; BY of GROUP BY and its like, and INTO, the
	// one keyword between two values that counts
	alone: `
and by case create except execute having insert intersect into limit or raiseerror select set
uni_on union update waitfor xor`,
	// Transact-SQL's words that stand alone, types, and COLLATE, which makes a type of what follows
	typed: `
_armscii _ascii _big _binary _cp _dec _eucjpms _euckr _gb _gbk _geostd _greek _hebrew _hp
_keybcs _koi _latin _macce _macroman _sjis _swe _tis _ujis _usc _utf anyarray anyelement
anynonarry begin bigint bigserial binary boolean bytea call character collate cstring decimal
declare delete double drop exec float go goto handler int integer load money numeric oid print
real regclass regconfig regdictionary regoper regoperator regproc regprocedure regtype serial
shutdown smallint smallserial text timestamp try use varchar void while`,
	// variables that have a word
	variable: `
current current_date current_path current_server current_time current_timestamp current_timezone
current_user localtime localtimestamp null unknown`,
	// keywords, and of those of several words one that each has
	keyword: `
abort accessible against all_users alter analyze as asc asensitive autoincrement before blob
both cascade change column condition constraint continue count_big cursor databases day_hour
day_microsecond day_minute day_second dec default delay delayed desc describe deterministic
distinct distinctrow each else elseif enclosed escaped exit explain fetch force foreign from
full fulltext function grant high_priority hour_microsecond hour_minute hour_second ignore in
index infile inner inout insensitive interval iterate join keys kill leading leave linear lines
lock longblob longtext loop low_priority master_bind master_ssl_verify_server_cert match
maxvalue mediumblob mediumint mediumtext merge middleint minute_microsecond minute_second
modifies natural no_write_to_binlog notnull nowait offset one_shot open optimize option
optionally outer outfile own partition precision primary procedure purge range read read_write
reads references release rename repeat replace require resignal restrict return revoke rollup
schema schemas second_microsecond sensitive separator signal similar spatial specific sql
sql_big_result sql_buffer_result sql_cache sql_calc_found_rows sql_no_cache sql_small_result
sqlexception sqlstate sqlwarning ssl starting straight_join syscolumns sysobjects sysusers
terminated then time tinyblob tinyint tinytext top trigger undo unlock unsigned usage utc_date
utc_time utc_timestamp value values varbinary varcharacter varying wait when where
xp_execresultset year_month zerofill`,
	// operators that are words
	operator: `
between div eqv is like mod not regexp rlike similar sounds uescape`,
})

func wordsOf(lists map[uint8]string) map[string]uint8 {
	kinds := map[string]uint8{}
	for kind, list := range lists {
		for word := range strings.FieldsSeq(list) {
			kinds[word] |= kind
		}
	}
	return kinds
}

// lengths has, for the first byte of a word, a bit for each length that such words have: most
// others needn't be looked up. An underscore is found under 0x7F, which is _ with the bit for small
// letters set.
var lengths = func() (t [256]uint32) {
	for word := range words {
		t[word[0]|0x20] |= 1 << len(word)
	}
	return t
}()
