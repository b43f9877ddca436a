package metering

import (
	"cmp"
	"math/big"
	"slices"
	"time"
)

// Row is what one API key was charged for on one route of one stage of an API.
type Row struct {
	Kind Kind `json:"kind"`
	// API and Stage are the API's ID and its stage's name.
	API   string `json:"apiId"`
	Stage string `json:"stage"`
	// Route is the route's key, "" for what has none: requests that no route is for, messages that
	// the program sends on its own, connections.
	Route string `json:"routeKey,omitempty"`
	// Key is the ID of the API key, "" without one.
	Key string `json:"apiKeyId,omitempty"`
	// Calls are requests, or messages from clients, and Free those of them that were refused and
	// aren't charged.
	Calls int64 `json:"calls"`
	Free  int64 `json:"free"`
	// Units are what is charged: requests and messages in their steps, connection minutes.
	Units int64 `json:"units"`
	// BytesIn and BytesOut are of bodies.
	BytesIn  int64 `json:"bytesIn"`
	BytesOut int64 `json:"bytesOut"`
	// Cost is the row's share of what all units of its kind cost: the shares add up to it.
	Cost Dollars `json:"cost"`
}

// Item is what all units of a kind cost in a month.
type Item struct {
	Kind  Kind    `json:"kind"`
	Units int64   `json:"units"`
	Cost  Dollars `json:"cost"`
}

// Report is what was counted in a calendar month (UTC), and what it costs. It is a copy.
type Report struct {
	// Month is its first instant. From is since when it was counted: later than Month where the
	// program started in it. To is until when.
	Month time.Time `json:"month"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Rows  []Row     `json:"rows"`
	// There is what it would cost there, by kind, and ThereTotal their sum.
	There      []Item  `json:"there"`
	ThereTotal Dollars `json:"thereTotal"`
	// CPU is the time that the whole process has had processors for, whatever it did, and Here what
	// that costs by Prices.CPUHour.
	CPU  time.Duration `json:"cpuNanoseconds"`
	Here Dollars       `json:"here"`
}

// Report returns what this month is so far.
func (c *Meter) Report() *Report {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.report(c.turn(now), now)
}

// Reports returns the months that are kept, the present one first.
func (c *Meter) Reports() []*Report {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*Report{c.report(c.turn(now), now)}, c.past...)
}

// report is called with the lock held.
func (c *Meter) report(l *ledger, now time.Time) *Report {
	r := &Report{Month: l.month, From: l.began, To: now.UTC(), CPU: max(processTime()-l.cpu, 0)}
	l.rows.Each(func(k rowKey, w *row) {
		r.Rows = append(r.Rows, Row{
			Kind: k.kind, API: k.api, Stage: k.stage, Route: k.route, Key: k.key,
			Calls: w.calls.Load(), Free: w.free.Load(), Units: w.units.Load(),
			BytesIn: w.in.Load(), BytesOut: w.out.Load(),
		})
	})
	r.Rows = append(r.Rows, c.socketRows(l, r.Rows)...)
	slices.SortFunc(r.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.API, b.API), cmp.Compare(a.Stage, b.Stage),
			cmp.Compare(a.Route, b.Route), cmp.Compare(a.Key, b.Key))
	})
	c.price(r)
	hour := new(big.Int).Mul(big.NewInt(int64(r.CPU)), big.NewInt(int64(c.prices.CPUHour)))
	r.Here = rounded(hour, int64(time.Hour))
	return r
}

// socketRows are the connection minutes of WebSocket APIs, and the messages that no Middleware has
// seen.
func (c *Meter) socketRows(l *ledger, seen []Row) (rows []Row) {
	var crowd int64 // seen, of APIs that had no room for a row
	for _, r := range seen {
		if r.Kind == WebSocketMessage && r.API == other {
			crowd += r.Units
		}
	}
	for i, api := range c.sockets {
		id, m, before := api.Identity(), api.Metrics(), l.sockets[i]
		units := m.MessageUnits - before.units
		for _, r := range seen {
			if r.Kind == WebSocketMessage && r.API == id.APIID && r.Stage == id.Stage {
				units -= r.Units
			}
		}
		if found := min(max(units, 0), crowd); found > 0 {
			units, crowd = units-found, crowd-found
		}
		if units > 0 {
			rows = append(rows, Row{Kind: WebSocketMessage, API: id.APIID, Stage: id.Stage, Units: units})
		}
		if minutes := wholeMinutes(m.Connected - before.connected); minutes > 0 {
			rows = append(rows, Row{Kind: ConnectionMinute, API: id.APIID, Stage: id.Stage, Units: minutes})
		}
	}
	return merge(rows, seen)
}

// merge takes out of rows what is of the same key as another, whose counts it joins: two APIs of
// one stage, or a message without a route.
func merge(rows, seen []Row) []Row {
	var out []Row
	for _, r := range rows {
		same := func(o Row) bool {
			return o.Kind == r.Kind && o.API == r.API && o.Stage == r.Stage && o.Route == r.Route && o.Key == r.Key
		}
		if i := slices.IndexFunc(seen, same); i >= 0 {
			seen[i].Units += r.Units
		} else if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Units += r.Units
		} else {
			out = append(out, r)
		}
	}
	return out
}

// wholeMinutes are those that d begins, of all connections together.
func wholeMinutes(d time.Duration) int64 { return int64((max(d, 0) + time.Minute - 1) / time.Minute) }

// price fills in what the rows cost.
func (c *Meter) price(r *Report) {
	for k := range kinds {
		var at []int
		var units []int64
		item := Item{Kind: k}
		for i := range r.Rows {
			if r.Rows[i].Kind == k {
				at, units = append(at, i), append(units, r.Rows[i].Units)
				item.Units += r.Rows[i].Units
			}
		}
		if len(at) == 0 {
			continue
		}
		item.Cost = cost(c.prices.of(k), item.Units)
		for i, share := range shared(item.Cost, units) {
			r.Rows[at[i]].Cost = share
		}
		r.There = append(r.There, item)
		r.ThereTotal += item.Cost
	}
}
