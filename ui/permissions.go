package ui

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"wakey/api"
)

// longestText is how much of a server's text is kept: more is a mistake, or an attack, and
// nobody reads it.
const longestText = 1000

// tidy bounds a server's text and makes it harmless.
func tidy(s string) string {
	if len(s) > longestText {
		at := longestText
		for at > 0 && !utf8.RuneStart(s[at]) {
			at--
		}
		s = s[:at] + "…"
	}
	return clean(s)
}

// anyService is the heading of permissions that begin with a wildcard.
const anyService = "any service"

// serviceOf is the service that a permission belongs to: its first word.
func serviceOf(permission string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(permission, "!"), ".")
	if first == "" || strings.ContainsAny(first, "*#") {
		return anyService
	}
	return first
}

// byService groups an ACL: what is for any service first, the others in order; denials first in
// each, because a denial wins (contract 2).
func byService(acl []string) []group {
	sorted := slices.Clone(acl)
	slices.SortFunc(sorted, comparePermissions)
	var groups []group
	for i := 0; i < len(sorted); {
		n := i + 1
		for n < len(sorted) && sorted[n] == sorted[i] {
			n++
		}
		title := tidy(serviceOf(sorted[i]))
		if len(groups) == 0 || groups[len(groups)-1].title != title {
			groups = append(groups, group{title: title})
		}
		g := &groups[len(groups)-1]
		g.items = append(g.items, permissionItem(sorted[i], title, n-i))
		i = n
	}
	return groups
}

func comparePermissions(a, b string) int {
	sa, sb := serviceOf(a), serviceOf(b)
	if sa != sb {
		switch anyService {
		case sa:
			return -1
		case sb:
			return 1
		}
		return strings.Compare(sa, sb)
	}
	if da, db := strings.HasPrefix(a, "!"), strings.HasPrefix(b, "!"); da != db {
		if da {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

func permissionItem(permission, title string, times int) item {
	it := item{text: tidy(permission)}
	pattern, denies := strings.CutPrefix(permission, "!")
	switch {
	case denies:
		it.shape, it.bad, it.note = shapeDanger, true, "denied"
	case pattern == "#":
		it.note = "everything"
	case strings.HasPrefix(it.text, title+"."):
		it.faint = len(title) + 1
	}
	if times > 1 {
		it.note = strings.TrimSpace(it.note + " ×" + number(times))
	}
	return it
}

// compared is how two ACLs differ.
type compared struct {
	onlyA, onlyB, both []string
	// coveredA says of a permission that only A names which one of B's allows it all the same;
	// coveredB the other way round.
	coveredA, coveredB map[string]string
}

// wildest is how many wildcards of an ACL are tried against the other's permissions: no honest
// stack grants more, and each costs a match a permission.
const wildest = 200

// compareACLs tells which permissions each of two ACLs has alone.
func compareACLs(ctx context.Context, a, b []string) (compared, error) {
	a, b = unique(a), unique(b)
	var c compared
	for _, p := range a {
		if _, there := slices.BinarySearch(b, p); there {
			c.both = append(c.both, p)
		} else {
			c.onlyA = append(c.onlyA, p)
		}
	}
	for _, p := range b {
		if _, there := slices.BinarySearch(a, p); !there {
			c.onlyB = append(c.onlyB, p)
		}
	}
	var err error
	if c.coveredA, err = covered(ctx, c.onlyA, b); err != nil {
		return c, err
	}
	c.coveredB, err = covered(ctx, c.onlyB, a)
	return c, err
}

func unique(acl []string) []string {
	out := slices.Clone(acl)
	slices.Sort(out)
	return slices.Compact(out)
}

// covered finds the permissions that an ACL allows without naming them.
func covered(ctx context.Context, permissions, acl []string) (map[string]string, error) {
	var wild, denials []string
	for _, p := range acl {
		switch {
		case strings.HasPrefix(p, "!"):
			denials = append(denials, p)
		case strings.ContainsAny(p, "*#"):
			wild = append(wild, p)
		}
	}
	wild = append(wild[:min(len(wild), wildest)], denials[:min(len(denials), wildest)]...)
	out := map[string]string{}
	for _, p := range permissions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if strings.HasPrefix(p, "!") || len(p) > longestText {
			continue
		}
		if by := api.Matching(wild, p, "", ""); len(by) > 0 && !strings.HasPrefix(by[0], "!") {
			out[p] = by[0]
		}
	}
	return out, nil
}

// groups lists the comparison under the names of the two.
func (c compared) groups(nameA, nameB string) []group {
	list := func(title string, permissions []string, by map[string]string, other string) group {
		g := group{title: title}
		for _, p := range permissions {
			it := permissionItem(p, "", 1)
			if w := by[p]; w != "" {
				it.note = other + " has " + tidy(w)
			}
			g.items = append(g.items, it)
		}
		return g
	}
	return []group{
		list("only "+nameA, c.onlyA, c.coveredA, nameB),
		list("only "+nameB, c.onlyB, c.coveredB, nameA),
		list("both", c.both, nil, ""),
	}
}
