package iam

import rego.v1

default allow := false

allow if {
	some rule in data.rules.allow[input.action]
	applies(rule)
	not denied
}

denied if {
	some rule in data.rules.deny[input.action]
	applies(rule)
}

applies(rule) if {
	concerns(rule)
	every test in rule.tests {
		holds(test)
	}
}

concerns(rule) if input.resource in rule.exact

concerns(rule) if {
	some glob in rule.like
	fits(input.resource, glob)
}

fits(text, glob) if {
	startswith(text, glob.head)
	endswith(text, glob.tail)
	count(text) >= glob.least
	contains(substring(text, count(glob.head), count(text) - (count(glob.head) + count(glob.tail))), glob.middle)
}

holds(test) if {
	test.optional
	not input.keys[test.key]
}

holds(test) if {
	test.kind == "in"
	input.keys[test.key] in test.values
}

holds(test) if {
	test.kind == "not in"
	value := input.keys[test.key]
	not value in test.values
}

holds(test) if {
	test.kind == "same"
	input.keys[test.key] == input.keys[test.values[0]]
}

holds(test) if {
	test.kind == "between"
	some pair in test.values
	input.keys[test.key] >= pair[0]
	input.keys[test.key] <= pair[1]
}

holds(test) if {
	test.kind == "at most"
	input.keys[test.key] <= test.values[0]
}

holds(test) if {
	test.kind == "below"
	input.keys[test.key] < test.values[0]
}

holds(test) if {
	test.kind == "like"
	some glob in test.values
	fits(input.keys[test.key], glob)
}

holds(test) if {
	test.kind == "each in"
	every value in input.keys[test.key] {
		value in test.values
	}
}
