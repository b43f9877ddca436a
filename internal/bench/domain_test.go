package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatekit-go/gatekit/domain"
)

// thousandMappings are base paths of one, two and three levels, as APIs and versions of APIs have.
func thousandMappings(tb testing.TB) *domain.Domain {
	n := domain.Name{Host: "api.example.com"}
	for i := range 1000 {
		basePath := fmt.Sprintf("service-%03d", i/4)
		switch i % 4 {
		case 1:
			basePath += "/v1"
		case 2:
			basePath += "/v2"
		case 3:
			basePath += "/v2/reports-by-quarter"
		}
		n.Mappings = append(n.Mappings, domain.Mapping{BasePath: basePath, Handler: nothing})
	}
	names := []domain.Name{n}
	for i := range 100 {
		names = append(names, domain.Name{Host: fmt.Sprintf("tenant-%d.example.com", i), Mappings: []domain.Mapping{{Handler: nothing}}})
	}
	names = append(names, domain.Name{Host: "*.example.org", Mappings: []domain.Mapping{{Handler: nothing}}})
	return must[*domain.Domain](tb)(domain.New(tb.Context(), domain.Config{Names: names}))
}

var domainTargets = []struct{ name, url, basePath string }{
	{"levels-1", "https://api.example.com/service-123/orders/7", "service-123"},
	{"levels-2", "https://api.example.com/service-123/v1/orders/7", "service-123/v1"},
	{"levels-3", "https://api.example.com/service-123/v2/reports-by-quarter/7", "service-123/v2/reports-by-quarter"},
	{"port", "https://api.example.com:8443/service-123/orders/7", "service-123"},
	{"wildcard", "https://acme.example.org/orders/7", ""},
}

func TestDomain(t *testing.T) {
	d := thousandMappings(t)
	for _, target := range domainTargets {
		s, err := d.Select(httptest.NewRequest("GET", target.url, nil))
		if err != nil || s.BasePath != target.basePath {
			t.Errorf("%s: got %q, %v", target.url, s.BasePath, err)
		}
	}
}

// BenchmarkDomain chooses among 1,000 mappings. The whole has the context attached and the URL cut beside it.
func BenchmarkDomain(b *testing.B) {
	d := thousandMappings(b)
	for _, target := range domainTargets {
		r := httptest.NewRequest("GET", target.url, nil)
		b.Run("mappings=1000/path="+target.name+"/of=selection", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = d.Select(r)
			}
		})
	}
	r := httptest.NewRequest("GET", domainTargets[1].url, nil)
	b.Run("mappings=1000/path=levels-2/of=whole", func(b *testing.B) {
		w := httptest.NewRecorder()
		b.ReportAllocs()
		for b.Loop() {
			d.ServeHTTP(w, r)
		}
	})
	strip := http.StripPrefix("/service-123/v1", nothing)
	b.Run("mappings=1/path=levels-2/of=http.StripPrefix", func(b *testing.B) {
		w := httptest.NewRecorder()
		b.ReportAllocs()
		for b.Loop() {
			strip.ServeHTTP(w, r)
		}
	})
}
