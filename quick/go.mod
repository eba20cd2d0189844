module a.wakey/quick

go 1.26.0
