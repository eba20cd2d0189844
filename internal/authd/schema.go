package authd

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"
)

// The checks of a body or a query, with the texts of the real server. Each gives
// nil or what stands under the key in error; type errors stand there bare, the
// others in a list (contract 3).

func errType(message, constraint string) any {
	return dict{{"message", message}, {"constraint_id", "type"}, {"constraint", constraint}}
}

func errNull() any {
	return dict{{"message", "Field may not be null."}, {"constraint_id", "not_null"}, {"constraint", "not_null"}}
}

func errRequired() any {
	return dict{{"message", "Missing data for required field."}, {"constraint_id", "required"}, {"constraint", "required"}}
}

func errString() any  { return errType("Not a valid string.", "string") }
func errInteger() any { return errType("Not a valid integer.", "integer") }
func errBoolean() any { return errType("Not a valid boolean.", "boolean") }
func errUUID() any    { return errType("Not a valid UUID.", "uuid") }

// errEmail stands in a list: to the real server it is a check of a text, not a type.
func errEmail() any { return []any{errType("Not a valid email address.", "email")} }

func errEnum(choices ...string) any {
	list := make([]any, len(choices))
	for i, c := range choices {
		list[i] = c
	}
	return []any{dict{
		{"constraint_id", "enum"},
		{"constraint", dict{{"choices", list}}},
		{"message", "Must be one of: " + strings.Join(choices, ", ") + "."},
	}}
}

// errLength is the answer to a text shorter than least or longer than most; most 0
// means no upper bound.
func errLength(least, most int) any {
	if most == 0 {
		return []any{dict{
			{"constraint_id", "length"},
			{"constraint", dict{{"min", least}, {"max", nil}}},
			{"message", fmt.Sprintf("Shorter than minimum length %d.", least)},
		}}
	}
	return []any{dict{
		{"constraint_id", "length"},
		{"constraint", dict{{"min", least}, {"max", most}}},
		{"message", fmt.Sprintf("Length must be between %d and %d.", least, most)},
	}}
}

// lengthOK counts characters, not bytes.
func lengthOK(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && (most == 0 || n <= most)
}

func errRange(least, most int) any {
	return []any{dict{
		{"constraint_id", "range"},
		{"constraint", dict{{"min", least}, {"max", most}}},
		{"message", fmt.Sprintf("Must be greater than or equal to %d and less than or equal to %d.", least, most)},
	}}
}

func errAtLeastZero() any {
	return []any{dict{
		{"constraint_id", "range"},
		{"constraint", dict{{"min", 0}}},
		{"message", "Must be greater than or equal to 0."},
	}}
}

// pyInt reads an integer as Python's int() does from a text: blanks around it, a
// sign, underscores between digits.
func pyInt(s string) (*big.Int, bool) {
	s = strings.TrimSpace(s)
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || digits[0] == '_' || digits[len(digits)-1] == '_' || strings.Contains(digits, "__") {
		return nil, false
	}
	for i := range len(digits) {
		if digits[i] != '_' && (digits[i] < '0' || digits[i] > '9') {
			return nil, false
		}
	}
	return new(big.Int).SetString(strings.ReplaceAll(s, "_", ""), 10)
}

// clampInt makes a number that a range check can compare; what does not fit an
// int64 keeps its sign.
func clampInt(n *big.Int) int64 {
	if n.IsInt64() {
		return n.Int64()
	}
	if n.Sign() < 0 {
		return math.MinInt64
	}
	return math.MaxInt64
}
