package quick

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

// fieldsOf are the fields that object finds.
func fieldsOf(b []byte) (map[string]string, bool) {
	found := map[string]string{}
	ok := object(b, func(name, value []byte) { found[string(name)] = string(value) })
	return found, ok
}

func TestObject(t *testing.T) {
	for text, want := range map[string]string{ // "": refused
		`{}`: "map[]",
		"\n{ \"a\" : \"b\",\n \"c\":12 , \"d\":true}\n": "map[a:b c:12 d:true]",
		`{"a":"\"\\\b\f\n\r\t\u003c","b":"é漢"}`:         "map[a:\"\\\b\f\n\r\t< b:é漢]",
		`{"a":"\"b\":\"c"}`:                             `map[a:"b":"c]`,
		``:                                              "", `{`: "", `{"a"`: "", `{"a":`: "", `{"a":"`: "", `{"a":"b"`: "", `{"a":"b",`: "", `{"a":"b",}`: "",
		`{"a":"b"}x`: "", `{"a":"b"} {}`: "", `{"a" "b"}`: "", `{"a":"b" "c":"d"}`: "", `{,}`: "", `[]`: "", `"a"`: "",
		`{"a":{}}`: "", `{"a":[]}`: "", `{"a":null}`: "", `{"a":-1}`: "", `{"a":1.5}`: "", `{"a":1e3}`: "", `{"a":01}`: "", `{"a":truer}`: "",
		`{"A":"b"}`: "", `{"\u0061":"b","é":"c"}`: "", "{\"a\":\"\xff\"}": "", "{\"a\":\"\n\"}": "", "{\"a\":\"\x1b\"}": "",
		`{"a":"\x41"}`: "", `{"a":"\a"}`: "", `{"a":"\'"}`: "", `{"a":"\/"}`: "", `{"a":"\ud83d\ude00"}`: "", `{"a":"\u12"}`: "", `{"a":"\`: "",
		`{a:"b"}`: "", "{\"a\":\"1,\n\"b\":\"2\"}": "", `{"a":b"c"}`: "", `{'a':'b'}`: "", `{"a":"b"} // c`: "",
	} {
		got, ok := fieldsOf([]byte(text))
		if ok != (want != "") || ok && fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, ok, want)
		}
	}
}

// What object reads, a real reader reads alike.
func FuzzObject(f *testing.F) {
	f.Add([]byte("{\n  \"version\": 1,\n  \"kind\": \"keyring\",\n  \"item\": \"accounts key \\u003cx\\u003e\"\n}\n"))
	f.Add([]byte(`{"id":"00000001","name":"\"prod\"","refreshes":true,"expires_at":"2100-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, ok := fieldsOf(b)
		if !ok {
			return
		}
		var whole map[string]any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&whole); err != nil || !json.Valid(b) {
			t.Fatalf("%q: %v is read, which is no JSON: %v", b, found, err)
		}
		for name, value := range whole {
			if fmt.Sprint(value) != found[name] {
				t.Errorf("%q: %s is %q, not %v", b, name, found[name], value)
			}
		}
		if len(found) != len(whole) {
			t.Errorf("%q: %v, not %v", b, found, whole)
		}
	})
}
