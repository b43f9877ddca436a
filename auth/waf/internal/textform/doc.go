// Package textform holds the text transformations of a web ACL's statements: what is done to a part
// of a request before a rule looks at it, so that an attack that is written another way is the same
// attack. (AWS WAF developer guide, "Using text transformations in AWS WAF".)
//
// Bytes come in and bytes go out. No transformation reads what another made unless it stands later
// in the list: what is encoded twice is decoded twice. None looks at more than its own form of
// encoding, none fails, and what it doesn't understand it leaves as it is.
//
// # Size
//
// UTF8_TO_UNICODE makes at most three bytes of one, a digest 16 or 32 of any; what the others make
// is never longer than what they read.
//
// # Sources
//
// The guide describes most of these by the words of ModSecurity's reference manual. Where it leaves
// a question open, the answer here is ModSecurity's, since rules that were written for the one are
// used with the other:
//
//   - URL_DECODE makes a space of +.
//   - HTML_ENTITY_DECODE does without the semicolon, and keeps the low byte of a number.
//   - CMD_LINE makes spaces of tabs, carriage returns and line feeds. Elsewhere its order is the
//     guide's: a space that has been a comma stays in front of a slash.
//   - BASE64_DECODE ends at the first byte that isn't base64, and passes over line breaks.
//   - ESCAPE_SEQ_DECODE takes \101 for A as well as the guide's \0101.
//   - HEX_DECODE ends at the first pair that isn't hexadecimal.
//   - UTF8_TO_UNICODE writes %uhhhh; beyond U+FFFF it has more digits.
package textform
