package quick

// readFile reads the beginning of a small file.
func readFile(path string, limit int) ([]byte, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	b := make([]byte, limit)
	for n := 0; ; {
		m, err := f.Read(b[n:])
		n += m
		if err != nil || n == limit {
			return b[:n], nil // what can't be read is not there
		}
	}
}
