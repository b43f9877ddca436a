package usageplan

import (
	"fmt"
	"time"
)

// Period is how long a quota lasts, in whole days, weeks or months of UTC.
type Period string

// The periods of a quota. ("Creating and using usage plans with API keys" of the developer guide.)
const (
	Day   Period = "DAY"
	Week  Period = "WEEK"
	Month Period = "MONTH"
)

// Date is a day in UTC, as the number of days since 1970-01-01.
type Date int32

const secondsPerDay = 24 * 60 * 60

// DateOf returns the day that t is in, in UTC.
func DateOf(t time.Time) Date {
	days := t.Unix() / secondsPerDay
	if t.Unix()%secondsPerDay < 0 {
		days--
	}
	return Date(days)
}

// ParseDate reads a date as 2026-01-31.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("usageplan: want a date such as 2026-01-31, got %q", text[:min(len(text), 20)])
	}
	return DateOf(t), nil
}

// Time returns the moment at which d begins.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String returns d as 2026-01-31.
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// around returns the first day of the period that d is in, and the first one after it.
func (p Period) around(d Date, sundayWeeks bool) (from, to Date) {
	switch p {
	case Week:
		since := (int(d) + 3) % 7 // 1970-01-01 was a Thursday, the fourth day of a week that begins on Monday
		if sundayWeeks {
			since = (int(d) + 4) % 7
		}
		if since < 0 {
			since += 7
		}
		return d - Date(since), d - Date(since) + 7
	case Month:
		year, month, _ := d.Time().Date()
		return DateOf(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)),
			DateOf(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC))
	}
	return d, d + 1
}
