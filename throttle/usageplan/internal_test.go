package usageplan

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The first and last day of each period, against time.Time's own arithmetic, over two 400-year
// cycles' worth of odd years.
func TestPeriodsAgreeWithTheCalendar(t *testing.T) {
	for _, year := range []int{1970, 1999, 2000, 2026, 2028, 2099, 2100, 2101, 2400} {
		for d := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
			day := DateOf(d)
			require.Equal(t, day, DateOf(d.Add(24*time.Hour-1)))
			require.Equal(t, d.Format(time.DateOnly), day.String())
			parsed, err := ParseDate(day.String())
			require.NoError(t, err)
			require.Equal(t, day, parsed)

			from, to := Month.around(day, false)
			require.Equal(t, 1, from.Time().Day())
			require.Equal(t, from.Time().AddDate(0, 1, 0), to.Time())
			require.True(t, from <= day && day < to)
			from, to = Day.around(day, false)
			require.Equal(t, []Date{day, day + 1}, []Date{from, to})
			for sunday, first := range map[bool]time.Weekday{false: time.Monday, true: time.Sunday} {
				from, to = Week.around(day, sunday)
				require.Equal(t, first, from.Time().Weekday())
				require.Equal(t, from+7, to)
				require.True(t, from <= day && day < to)
			}
		}
	}
	require.EqualValues(t, -1, DateOf(time.Unix(-1, 0)))
	from, _ := Week.around(-10, false)
	require.Equal(t, time.Monday, from.Time().Weekday())
}

// FuzzParseDate reads any text: what is a date prints as it was.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-01-31", "2026-02-30", "0000-01-01", "9999-12-31", "2026-1-1", "", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDate(text); err == nil {
			require.Equal(t, text, d.String())
		}
	})
}

// FuzzMethodKey reads any method of a plan: what is one is a route key with the method first and
// the path behind it.
func FuzzMethodKey(f *testing.F) {
	for _, s := range []string{"/pets/GET", "/GET", "/pets/{id}/ANY", "/{proxy+}/GET", "//GET", "GET", "/pets/get", "/~1pets/GET"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, method string) {
		key, err := methodKey(method)
		if err != nil {
			return
		}
		verb, path, ok := strings.Cut(key, " ")
		require.True(t, ok)
		if path == "/" { // the root has two spellings
			method = strings.TrimPrefix(method, "/")
			require.Equal(t, verb, strings.TrimPrefix(method, "/"))
			return
		}
		require.Equal(t, method, path+"/"+verb)
	})
}
