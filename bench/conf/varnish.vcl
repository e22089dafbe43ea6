vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "@BACKEND@"; }
sub vcl_recv {
  if (req.url ~ "^/pass") { return (pass); }
  return (hash);
}
sub vcl_backend_response { set beresp.ttl = 10h; }
