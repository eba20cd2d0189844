package authd

import (
	"fmt"
	"net/http"
)

// proxyPage is a page of the nginx in front: 301, 404 for a service that is not
// there, 429 of its rate limit, 502 when the daemon is stopped (contract 1).
func proxyPage(status int) answer {
	text := http.StatusText(status)
	page := fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n"+
		"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n", status, text, status, text)
	return answer{status: status, ctype: typeNginxHTML, body: []byte(page)}
}
