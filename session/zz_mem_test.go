package session

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

func BenchmarkZZMem(b *testing.B) {
	s := benchStore(b, 10000)
	ms := func(what string) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		data, _ := os.ReadFile("/proc/self/status")
		rss := ""
		for l := range strings.Lines(string(data)) {
			if strings.HasPrefix(l, "VmRSS") || strings.HasPrefix(l, "VmHWM") {
				rss += strings.TrimSpace(l) + " "
			}
		}
		runtime.GC()
		var g runtime.MemStats
		runtime.ReadMemStats(&g)
		fmt.Println(what, "heap", m.HeapAlloc>>20, "live", g.HeapAlloc>>20, rss)
	}
	fresh := openedBench(s)
	*s = FileStore{}
	runtime.GC()
	ms("start")
	all, err := fresh.Load(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	ms("loaded")
	for range 50 {
		benchUpdate(b, fresh, b.Context())
	}
	ms("updated")
	runtime.KeepAlive(all)
	all = nil
	ms("without the caller's copies")
	fresh.snap.records = nil
	ms("without parsed")
	fresh.index = nil
	ms("without index")
	fresh.snap = nil
	ms("nothing")
}
