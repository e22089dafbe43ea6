-- A client's request: 500 bytes of JSON.
local doc = '{"id":123456,"status":"new","active":true,"score":12.5,"owner":{"name":"Ada","mail":"ada@example.org","roles":["admin","audit","dev"]},'
    .. '"items":[{"sku":"A-1","qty":2,"price":9.99},{"sku":"B-2","qty":1,"price":19.5},{"sku":"C-3","qty":7,"price":0.75}],'
    .. '"note":"lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum",'
    .. '"tags":["x","y","z"],"meta":{"trace":"0af7651916cd43dd8448eb211c80319c","ts":1700000000}}'
wrk.method = "POST"
wrk.body = doc .. string.rep(" ", 500 - #doc)
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Tenant"] = "acme"
wrk.headers["X-User"] = "user-1234"
