package ui

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"wakey/session"
)

// TestAccountsAreCleaned fills every text of an account, also one that will be added to it, with what
// a hostile stack could put there.
func TestAccountsAreCleaned(t *testing.T) {
	const hostile = "\x1b]52;c;aGk=\a\u202e\u009b2J"
	// These are checked where they come from, or chosen by the person.
	asTheyAre := []string{"ID", "State", "Noticed.Kind", "Trust.Pin", "Trust.CAFile"}
	var each func(name string, v reflect.Value, do func(name string, v reflect.Value))
	each = func(name string, v reflect.Value, do func(name string, v reflect.Value)) {
		switch v.Kind() {
		case reflect.String:
			do(strings.TrimPrefix(name, "."), v)
		case reflect.Slice:
			if v.Len() == 0 {
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			}
			for i := range v.Len() {
				each(name, v.Index(i), do)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() && f.Type.PkgPath() != "time" {
					each(name+"."+f.Name, v.Field(i), do)
				}
			}
		default:
		}
	}
	a := newTestApp(t, 80, 24, nil)
	accounts := []session.Account{{}}
	filled := 0
	each("", reflect.ValueOf(&accounts[0]).Elem(), func(_ string, v reflect.Value) {
		filled++
		v.SetString(hostile)
	})
	if filled < 12 {
		t.Fatalf("only %d texts were filled", filled)
	}
	a.setAccounts(accounts, nil)
	each("", reflect.ValueOf(&a.accounts[0]).Elem(), func(name string, v reflect.Value) {
		if !slices.Contains(asTheyAre, name) && strings.ContainsAny(v.String(), "\x1b\a\u202e\u009b") {
			t.Errorf("%s is not cleaned", name)
		}
	})
}
